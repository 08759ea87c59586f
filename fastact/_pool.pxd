# The threads that share the work of one large call: see _pool.pyx.

# One part of it, [start, stop): parts run in any order and at the same time.
ctypedef void (*part_t)(void *work, Py_ssize_t start, Py_ssize_t stop) noexcept nogil

cdef void spread(part_t part, void *work, Py_ssize_t n, Py_ssize_t first) noexcept nogil
