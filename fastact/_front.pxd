# What fastact.kernels takes from the array front.

ctypedef void (*kernel_t)(
    void *, void *, void *, void *, void *, Py_ssize_t, const double *
) noexcept nogil

cdef int call(
    const char *name, kernel_t fn, int nin, int nout, int size, void **pointers,
    const Py_ssize_t *lengths, const double *p
) except -1 nogil

cdef void run(
    kernel_t fn, int nin, int nout, int size, void **pointers, Py_ssize_t n,
    const double *p
) noexcept nogil

cdef kernel_t find(str name) except NULL
