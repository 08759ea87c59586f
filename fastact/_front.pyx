# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""The array front of the compiled backend.

It picks the kernels for this CPU, brings any array to them, and knows nothing
of any formula:

* ``drive`` runs a kernel over operands of any stride, alignment and aliasing;
* ``Loop`` is one kernel for all dtypes: a direct entry for plain arrays, and a
  NumPy ufunc for everything else, both over ``drive``;
* ``Front`` is the base class of the activations, ``Entry`` one of their forms:
  they try the direct entry and leave the rest to Python.
"""

import os

cimport numpy as cnp
from cpython.mem cimport PyMem_Malloc
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_GetPointer
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport uint16_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from fastact._axis cimport batch
from fastact._pool cimport spread

import numpy as np

from fastact import _registry

cnp.import_array()
cnp.import_umath()

cdef extern from *:
    """
    #include <math.h>
    #include <numpy/arrayobject.h>

    #if defined(__SSE2__) || defined(_M_X64)
    #include <xmmintrin.h>
    typedef unsigned int fa_fpstate;
    #define fa_fp_save(s) (*(s) = _mm_getcsr())
    #define fa_fp_restore(s) _mm_setcsr(*(s))
    #else
    #include <fenv.h>
    typedef fexcept_t fa_fpstate;
    #define fa_fp_save(s) fegetexceptflag((s), FE_ALL_EXCEPT)
    #define fa_fp_restore(s) fesetexceptflag((s), FE_ALL_EXCEPT)
    #endif

    /* 0: baseline, 3: x86-64-v3, 4: x86-64-v4 (the operating system's support
       for the registers is part of the answer). */
    static int fa_cpu_level(void) {
    #if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
        __builtin_cpu_init();
        if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
              && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")))
            return 0;
        if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
              && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
              && __builtin_cpu_supports("avx512vl")))
            return 3;
        return 4;
    #else
        return 0;
    #endif
    }

    /* An uninitialised array of that shape and the dtype of a, in C order: what
       PyArray_SimpleNew does without its detours, a third of a small call. */
    static PyObject *fa_empty(PyArrayObject *a, int ndim, npy_intp *shape) {
        PyArray_Descr *descr = PyArray_DESCR(a);
        Py_INCREF(descr);
        return PyArray_NewFromDescr(
            &PyArray_Type, descr, ndim, shape, NULL, NULL, 0, NULL
        );
    }
    """
    object fa_empty(cnp.ndarray, int, cnp.npy_intp *)
    ctypedef unsigned int fa_fpstate
    void fa_fp_save(fa_fpstate *) noexcept nogil
    void fa_fp_restore(fa_fpstate *) noexcept nogil
    int fa_cpu_level() noexcept nogil

cdef extern from *:
    """
    static void fa_use_vectorcall(PyObject *cls, Py_ssize_t offset) {
        PyTypeObject *type = (PyTypeObject *)cls;
        type->tp_vectorcall_offset = offset;
        type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        type->tp_call = PyVectorcall_Call;
        PyType_Modified(type);
    }
    """
    void fa_use_vectorcall(PyObject *, Py_ssize_t)

cdef extern from "Python.h":
    ctypedef PyObject *(*vectorcallfunc)(PyObject *, PyObject *const *, size_t, PyObject *)
    Py_ssize_t PyVectorcall_NARGS(size_t)
    int PyGILState_Check() noexcept nogil
    ctypedef struct PyThreadState
    PyThreadState *PyEval_SaveThread() noexcept nogil
    void PyEval_RestoreThread(PyThreadState *) noexcept nogil

cdef extern from *:
    """
    #include "_fetch.h"
    #if defined(__SSE2__) || defined(_M_X64)
    #include <emmintrin.h>
    /* Elements that are apart, stored a vector at a time: one by one would take a
       store, and so a cycle, for each. */
    static void fa_gather_f32(char *to, const char *from, ptrdiff_t stride, ptrdiff_t n) {
        ptrdiff_t i = 0;
        float a, b, c, d;
        for (; i < n - 3; i += 4, from += 4 * stride) {
            memcpy(&a, from, 4);
            memcpy(&b, from + stride, 4);
            memcpy(&c, from + 2 * stride, 4);
            memcpy(&d, from + 3 * stride, 4);
            _mm_storeu_ps((float *)to + i, _mm_setr_ps(a, b, c, d));
        }
        for (; i < n; i++, from += stride)
            memcpy(to + 4 * i, from, 4);
    }
    static void fa_gather_f64(char *to, const char *from, ptrdiff_t stride, ptrdiff_t n) {
        ptrdiff_t i = 0;
        double a, b;
        for (; i < n - 1; i += 2, from += 2 * stride) {
            memcpy(&a, from, 8);
            memcpy(&b, from + stride, 8);
            _mm_storeu_pd((double *)to + i, _mm_setr_pd(a, b));
        }
        for (; i < n; i++, from += stride)
            memcpy(to + 8 * i, from, 8);
    }
    #else
    static void fa_gather_f32(char *to, const char *from, ptrdiff_t stride, ptrdiff_t n) {
        for (ptrdiff_t i = 0; i < n; i++)
            memcpy(to + 4 * i, from + i * stride, 4);
    }
    static void fa_gather_f64(char *to, const char *from, ptrdiff_t stride, ptrdiff_t n) {
        for (ptrdiff_t i = 0; i < n; i++)
            memcpy(to + 8 * i, from + i * stride, 8);
    }
    #endif

    /* 16 numbers, of which the first few are those at ``from`` and the others as its
       first (any other could make the kernel slow, as subnormals do). */
    static inline void fa_fill(char *to, const char *from, ptrdiff_t bytes, int size) {
        const uint64_t eight = fa_eight(from, size), first[2] = {eight, eight};
        for (int i = 0; i < 64; i += 16)
            memcpy(to + i, first, 16);
        if (size == 8)
            for (int i = 64; i < 128; i += 16)
                memcpy(to + i, first, 16);
        fa_copy_few(to, from, bytes);
    }
    /* n numbers, so many bytes apart here and there. */
    static inline void fa_copy_row(
        char *to, ptrdiff_t to_stride, const char *from, ptrdiff_t stride, ptrdiff_t n,
        int size
    ) {
        ptrdiff_t bytes = n * size, i;
        if (stride == size && to_stride == size) {
            if (bytes >= 8 && bytes < 128) fa_copy_few(to, from, bytes);
            else memcpy(to, from, bytes);
        } else if (stride == 0 && to_stride == size) {
            const uint64_t eight = fa_eight(from, size), some[2] = {eight, eight};
            for (i = 0; i + 16 <= bytes; i += 16) memcpy(to + i, some, 16);
            /* (the last ones may overlap) */
            if (bytes >= 16) memcpy(to + bytes - 16, some, 16);
            else memcpy(to, some, bytes);
        } else if (size == 4) {
            for (i = 0; i < n; i++) memcpy(to + i * to_stride, from + i * stride, 4);
        } else if (size == 8) {
            for (i = 0; i < n; i++) memcpy(to + i * to_stride, from + i * stride, 8);
        } else {
            for (i = 0; i < n; i++) memcpy(to + i * to_stride, from + i * stride, 2);
        }
    }
    /* x rounded to float16. */
    static double fa_as_half(double x) {
        int e;
        double ulp, half;
        frexp(x, &e);
        ulp = ldexp(1.0, e > -13 ? e - 11 : -24);
        half = rint(x / ulp) * ulp;
        return fabs(half) < 65536 || x != x ? half : copysign(HUGE_VAL, x);
    }
    """
    void fa_gather_f32(char *, const char *, Py_ssize_t, Py_ssize_t) noexcept nogil
    void fa_gather_f64(char *, const char *, Py_ssize_t, Py_ssize_t) noexcept nogil
    void fa_copy_few(char *, const char *, Py_ssize_t) noexcept nogil
    void fa_fill(char *, const char *, Py_ssize_t, int) noexcept nogil
    void fa_copy_row(
        char *, Py_ssize_t, const char *, Py_ssize_t, Py_ssize_t, int
    ) noexcept nogil
    double fa_as_half(double) noexcept nogil

cdef extern from "_fetch.h":
    ctypedef struct fa_few_rows:
        Py_ssize_t rows, n, size, stride
    void fa_fetch(const void *, Py_ssize_t, bint) noexcept nogil

cdef extern from "_lines.h":
    ctypedef struct fa_lines:
        Py_ssize_t n, count, stride, apart, place, next

cdef enum:
    LANES = 16  # kernels take multiples of this many elements
    BLOCK = 1024  # elements per operand that go through a buffer at a time
    MAX_OPERANDS = 5
    MAX_PARAMS = 2
    # Below this many elements the GIL is kept: releasing it costs more.
    RELEASE_GIL = 2048
    # Below twice that, work is not shared among threads (see _pool.pyx); whole pages.
    FIRST = 8192

cdef enum:  # kinds of array elements
    F32
    F64
    F16  # from here on float32 kernels behind a conversion
    BF16


# --- choosing the kernels ---------------------------------------------------

LEVELS = {"base": 0, "v3": 3, "v4": 4}


def built_isas() -> list[str]:
    """The variants of this build."""
    import importlib.util

    return [
        isa for isa in LEVELS
        if importlib.util.find_spec(f"fastact._kernels_{isa}") is not None
    ]


BUILT = built_isas()
#: those that this CPU can run
ISAS = [isa for isa in BUILT if LEVELS[isa] <= fa_cpu_level()]


def choose_isa() -> str:
    """The best variant that the CPU can run, or the one asked for."""
    asked = os.environ.get("FASTACT_ISA", "")
    if not asked:
        return max(ISAS, key=LEVELS.get)
    if asked not in ISAS:
        raise ImportError(
            f"FASTACT_ISA={asked!r}: this build on this CPU can run "
            f"{', '.join(map(repr, ISAS))} (built: {', '.join(map(repr, BUILT))})"
        )
    return asked


ISA = choose_isa()
_kernels = __import__(f"fastact._kernels_{ISA}", fromlist=["TABLE"])
cdef kernel_t *TABLE = <kernel_t *>PyCapsule_GetPointer(
    _kernels.TABLE, "fastact.table"
)
INDEX = {name: i for i, name in enumerate(_kernels.NAMES)}


cdef kernel_t find(str name) except NULL:
    """The kernel of that name, dtype included."""
    try:
        return TABLE[<Py_ssize_t>INDEX[name]]
    except KeyError:
        raise ImportError(
            f"fastact was built from another registry (no kernel {name}): rebuild it"
        ) from None


# --- float16 and bfloat16 ---------------------------------------------------

cdef kernel_t WIDEN[4]  # by kind: to float32, and back
cdef kernel_t NARROW[4]
cdef kernel_t COPY = find("copy")  # so many bytes
cdef kernel_t REPEAT = find("repeat")  # fa_few_rows
cdef kernel_t COPY_ROWS = find("copy_rows")
WIDEN[F16], NARROW[F16] = find("from_f16"), find("to_f16")
WIDEN[BF16], NARROW[BF16] = find("from_bf16"), find("to_bf16")
cdef kernel_t FROM_LINES[4]  # by kind: _lines.h
cdef kernel_t TO_LINES[4]
for _kind, _name in enumerate(("f32", "f64", "f16", "bf16")):
    FROM_LINES[<int>_kind] = find(f"lines_from_{_name}")
    TO_LINES[<int>_kind] = find(f"lines_to_{_name}")

# The number of bfloat16's dtype (it is ml_dtypes', which may never be imported), or -1.
cdef int bfloat16 = -1


def use_bfloat16(dtype):
    """From now on arrays of ``dtype`` are bfloat16."""
    global bfloat16
    bfloat16 = dtype.num


cdef inline int kind_of(cnp.ndarray a) noexcept:
    """The kind of its elements, or -1."""
    cdef int num = cnp.PyArray_TYPE(a)
    if num == cnp.NPY_FLOAT:
        return F32
    if num == cnp.NPY_DOUBLE:
        return F64
    if num == cnp.NPY_FLOAT16:
        return F16
    return BF16 if num == bfloat16 else -1


cdef inline int size_of(int kind) noexcept nogil:
    """Bytes of an element in arrays."""
    return 8 if kind == F64 else 4 if kind == F32 else 2


cdef inline int size_in_kernels(int kind) noexcept nogil:
    """... and where a kernel takes it."""
    return 8 if kind == F64 else 4


# --- the driver -------------------------------------------------------------

cdef inline void gather(
    const char *src, Py_ssize_t stride, Py_ssize_t n, int kind, char *dst
) noexcept nogil:
    """n elements into a buffer, and its last one again up to full lanes."""
    cdef Py_ssize_t i, full = (n + LANES - 1) & -LANES
    cdef uint16_t part[BLOCK]
    cdef int size = size_in_kernels(kind)
    if kind >= F16:
        if stride != 2 or n != full or <Py_ssize_t>src % 2:
            if stride == 2:
                memcpy(part, src, 2 * n)
            else:
                for i in range(n):
                    memcpy(part + i, src + i * stride, 2)
            for i in range(n, full):
                part[i] = part[n - 1]
            src = <const char *>part
        WIDEN[kind](<void *>src, dst, NULL, NULL, NULL, full, NULL)
        return
    if stride == size:
        COPY(<void *>src, dst, NULL, NULL, NULL, n * size, NULL)
    elif kind == F32:
        fa_gather_f32(dst, src, stride, n)
    else:
        fa_gather_f64(dst, src, stride, n)
    for i in range(n, full):
        memcpy(dst + i * size, dst + (n - 1) * size, size)


cdef inline void scatter(
    const char *src, Py_ssize_t n, int kind, char *dst, Py_ssize_t stride
) noexcept nogil:
    cdef Py_ssize_t i, full = (n + LANES - 1) & -LANES
    cdef uint16_t part[BLOCK]
    cdef bint whole = stride == 2 and n == full and <Py_ssize_t>dst % 2 == 0
    cdef int size = size_in_kernels(kind)
    if kind >= F16:
        NARROW[kind](
            <void *>src, <void *>dst if whole else part, NULL, NULL, NULL, full, NULL
        )
        if stride == 2 and not whole:
            memcpy(dst, part, 2 * n)
        elif not whole:
            for i in range(n):
                memcpy(dst + i * stride, part + i, 2)
    elif stride == size:
        memcpy(dst, src, n * size)
    elif kind == F32:
        for i in range(n):
            memcpy(dst + i * stride, src + 4 * i, 4)
    else:
        for i in range(n):
            memcpy(dst + i * stride, src + 8 * i, 8)


cdef inline bint apart(
    const char *a, Py_ssize_t a_bytes, const char *b, Py_ssize_t b_bytes
) noexcept nogil:
    return a + a_bytes <= b or b + b_bytes <= a


cdef inline bint beside(
    char **ptr, const Py_ssize_t *stride, Py_ssize_t n, int size, int i, int j
) noexcept nogil:
    """Whether operands i and j, of n elements, lie in memory of their own."""
    cdef Py_ssize_t a = (n - 1) * stride[i], b = (n - 1) * stride[j]
    return n == 0 or apart(
        ptr[i] + (a if a < 0 else 0), (-a if a < 0 else a) + size,
        ptr[j] + (b if b < 0 else 0), (-b if b < 0 else b) + size,
    )


cdef void blocks(
    kernel_t fn, int nin, int nout, char **ptr, const Py_ssize_t *stride,
    bint *direct, Py_ssize_t n, int kind, const double *p
) noexcept nogil:
    """Run fn block by block; operands that are not direct go through buffers.

    All inputs of a block are read before an output is written, so an output
    may be one of the inputs.
    """
    cdef double buffer[MAX_OPERANDS][BLOCK]
    cdef char *a[MAX_OPERANDS]
    cdef Py_ssize_t start = 0, m
    cdef int j
    cdef bint whole
    while start < n:
        m = min(n - start, <Py_ssize_t>BLOCK)
        if m >= LANES:
            m = m & -LANES
        whole = m >= LANES
        for j in range(nin + nout):
            a[j] = ptr[j] + start * stride[j]
            if not (whole and direct[j]):
                if j < nin and (start == 0 or stride[j]):  # (one number is there already)
                    gather(a[j], stride[j], m, kind, <char *>buffer[j])
                a[j] = <char *>buffer[j]
        fn(a[0], a[1], a[2], a[3], a[4], (m + LANES - 1) & -LANES, p)
        for j in range(nin, nin + nout):
            if not (whole and direct[j]):
                scatter(a[j], m, kind, ptr[j] + start * stride[j], stride[j])
        start += m


cdef void drive(
    kernel_t fn, int nin, int nout, char **ptr, const Py_ssize_t *stride,
    Py_ssize_t n, int kind, const double *p
) noexcept nogil:
    """Run fn over n elements of each operand (inputs, then outputs).

    An output may be the same memory as an input, element for element.
    """
    cdef bint direct[MAX_OPERANDS]
    cdef bint every = True
    cdef Py_ssize_t size = size_in_kernels(kind), whole
    cdef int j, k
    cdef Py_ssize_t rest[MAX_OPERANDS]
    if n <= 0:
        return
    for j in range(nin + nout):
        direct[j] = (
            kind < F16 and stride[j] == size and (<Py_ssize_t>ptr[j]) % size == 0
        )
    for j in range(nin, nin + nout):
        for k in range(nin):
            if direct[k] and not apart(
                ptr[j], n * size if direct[j] else 1, ptr[k], n * size
            ):
                direct[k] = False
    for j in range(nin + nout):
        every = every and direct[j]
    if every:
        whole = n & -LANES
        if whole:
            fn(ptr[0], ptr[1], ptr[2], ptr[3], ptr[4], whole, p)
        if whole < n:
            if whole:  # (nothing is written where something is read)
                whole = n - LANES
            for j in range(nin + nout):
                rest[j] = <Py_ssize_t>(ptr[j] + whole * size)
            blocks(fn, nin, nout, <char **>rest, stride, direct, n - whole, kind, p)
    else:
        blocks(fn, nin, nout, ptr, stride, direct, n, kind, p)


cdef inline void few(
    kernel_t fn, int nin, int nout, char **ptr, Py_ssize_t n, int size, const double *p
) noexcept nogil:
    """drive() for a small call on plain arrays, an output an input only if n < LANES."""
    cdef double buffer[MAX_OPERANDS][LANES]
    cdef Py_ssize_t whole = n & -LANES, rest = (n - whole) * size
    cdef int j
    if whole:
        fn(ptr[0], ptr[1], ptr[2], ptr[3], ptr[4], whole, p)
    if rest:
        whole *= size
        for j in range(nin):
            fa_fill(<char *>buffer[j], ptr[j] + whole, rest, size)
        fn(buffer[0], buffer[1], buffer[2], buffer[3], buffer[4], LANES, p)
        for j in range(nin, nin + nout):
            fa_copy_few(ptr[j] + whole, <char *>buffer[j], rest)


cdef struct Work:  # the arguments of drive()
    kernel_t fn
    int nin, nout, kind
    char **ptr
    const Py_ssize_t *stride
    const double *p


cdef void drive_part(void *work, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef Work *w = <Work *>work
    cdef char *ptr[MAX_OPERANDS]
    cdef int j
    for j in range(w.nin + w.nout):
        ptr[j] = w.ptr[j] + start * w.stride[j]
    drive(w.fn, w.nin, w.nout, ptr, w.stride, stop - start, w.kind, w.p)


cdef void share(
    kernel_t fn, int nin, int nout, char **ptr, const Py_ssize_t *stride,
    Py_ssize_t n, int kind, const double *p
) noexcept nogil:
    """drive(), by several threads where there are so many elements that it pays."""
    cdef Work work
    cdef int j, size = size_of(kind)
    cdef bint enough = n >= 2 * FIRST
    for j in range(nin, nin + nout):
        enough = enough and stride[j] >= size  # (else they overlap, or run backwards)
    if not enough:
        drive(fn, nin, nout, ptr, stride, n, kind, p)
        return
    work.fn, work.nin, work.nout, work.kind = fn, nin, nout, kind
    work.ptr, work.stride, work.p = ptr, stride, p
    spread(drive_part, &work, n, FIRST)


cdef int call(
    const char *name, kernel_t fn, int nin, int nout, int size, void **pointers,
    const Py_ssize_t *lengths, const double *p
) except -1 nogil:
    """A kernel over contiguous buffers, for fastact.kernels."""
    cdef Py_ssize_t stride[MAX_OPERANDS]
    cdef Py_ssize_t n = lengths[0]
    cdef int j, k
    cdef PyThreadState *thread = NULL
    for j in range(nin + nout):
        stride[j] = size
        if lengths[j] != n:
            with gil:
                raise ValueError(
                    f"{name.decode()}: all buffers must have the same length, got "
                    f"{[lengths[i] for i in range(nin + nout)]}"
                )
    for j in range(nin, nin + nout):
        for k in range(j):
            if apart(<char *>pointers[j], n * size, <char *>pointers[k], n * size):
                continue
            if k >= nin or pointers[j] != pointers[k]:
                with gil:
                    raise ValueError(
                        f"{name.decode()}: output {j - nin} overlaps "
                        f"{'another output' if k >= nin else 'an input'}; "
                        "an output may only be exactly an input, or apart"
                    )
    if n >= RELEASE_GIL and PyGILState_Check():
        thread = PyEval_SaveThread()
    share(fn, nin, nout, <char **>pointers, stride, n, F64 if size == 8 else F32, p)
    if thread != NULL:
        PyEval_RestoreThread(thread)
    return 0


cdef void run(
    kernel_t fn, int nin, int nout, int size, void **pointers, Py_ssize_t n,
    const double *p
) noexcept nogil:
    """A kernel over contiguous memory, unchecked, for fastact.kernels' C functions."""
    cdef Py_ssize_t stride[MAX_OPERANDS]
    cdef int j
    for j in range(nin + nout):
        stride[j] = size
    drive(fn, nin, nout, <char **>pointers, stride, n, F64 if size == 8 else F32, p)


# --- slices and broadcast operands ------------------------------------------

cdef enum:
    MOST_AXES = 64  # that NumPy has
    FEW = 64  # elements: rows of fewer go through buffers, many at once
    ROWS = 128  # how many

cdef struct Slices:  # operands with strides of their own along each axis
    kernel_t fn
    kernel_t one  # the same where the last input is one number, its parameter; or NULL
    int nin, nout, kind, ndim
    char *ptr[MAX_OPERANDS]
    # innermost axis first
    Py_ssize_t shape[MOST_AXES]
    Py_ssize_t stride[MOST_AXES][MAX_OPERANDS]
    const double *p


cdef inline void place(const Slices *w, Py_ssize_t row, char **at) noexcept nogil:
    """Where the elements of a row begin."""
    cdef Py_ssize_t i
    cdef int j, d
    for j in range(w.nin + w.nout):
        at[j] = w.ptr[j]
    for d in range(1, w.ndim):
        i = row
        if d < w.ndim - 1:
            i = row % w.shape[d]
            row = row // w.shape[d]
        for j in range(w.nin + w.nout):
            at[j] += i * w.stride[d][j]


cdef inline void row_at(
    const Slices *w, char **at, Py_ssize_t n, bint shared
) noexcept nogil:
    """n elements of each operand, from ``at`` on; shared: by threads."""
    cdef double number
    cdef char *ptr[MAX_OPERANDS]
    cdef Py_ssize_t stride[MAX_OPERANDS]
    cdef const double *p = w.p
    cdef kernel_t fn = w.fn
    cdef int j, nin = w.nin, without = w.nin + w.nout
    if w.one != NULL and w.stride[0][nin - 1] == 0:
        nin = without = nin - 1
        number = read_param(at[nin], w.kind)
        p, fn = &number, w.one
    for j in range(nin + w.nout):
        ptr[j] = at[j + 1 if j >= without else j]
        stride[j] = w.stride[0][j + 1 if j >= without else j]
    if shared:
        share(fn, nin, w.nout, ptr, stride, n, w.kind, p)
    else:
        drive(fn, nin, w.nout, ptr, stride, n, w.kind, p)


cdef inline bint in_rows(const Slices *w, int j) noexcept nogil:
    """Whether the rows of operand j lie side by side."""
    cdef Py_ssize_t size = size_of(w.kind)
    return w.stride[0][j] == size and w.stride[1][j] == w.shape[0] * size


cdef inline bint by_copies(const Slices *w) noexcept nogil:
    """Whether rows are better computed many at once beside copies of some inputs: of rows
    that repeat, or of short ones; outputs and the other inputs have theirs side by side.
    """
    cdef Py_ssize_t n = w.shape[0], most
    cdef int j
    if w.ndim < 2 or n > BLOCK // 2:
        return False
    for j in range(w.nin + w.nout):
        if in_rows(w, j):
            continue
        if j >= w.nin:
            return False
        if w.stride[0][j] == 0:  # one number for a row
            most = 4 * FEW
        elif w.stride[0][j] != size_of(w.kind):
            most = FEW
        else:
            most = 2 * FEW if w.stride[1][j] else BLOCK
        if n >= most:
            return False
    return True


cdef void beside_copies(const Slices *w, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """slices_part() of such rows."""
    cdef double buffer[MAX_OPERANDS][BLOCK + LANES]
    cdef char *at[MAX_OPERANDS]
    cdef char *last[MAX_OPERANDS]  # the row that the buffer has copies of
    cdef fa_few_rows some
    cdef Py_ssize_t n = w.shape[0], i, copies, rows
    cdef Py_ssize_t most = min(BLOCK // n, w.shape[1])
    cdef Py_ssize_t stride[MAX_OPERANDS]
    cdef int j, size = size_of(w.kind)
    for j in range(w.nin + w.nout):
        last[j], stride[j] = NULL, size
    while start < stop:
        rows = min(most, stop - start)
        rows = min(rows, w.shape[1] - start % w.shape[1])
        place(w, start, at)
        for j in range(w.nin):
            if in_rows(w, j):
                continue
            if last[j] != at[j]:
                copies = rows if w.stride[1][j] else most
                some.rows, some.n, some.size, some.stride = copies, n, size, w.stride[1][j]
                if w.stride[0][j] == 0:
                    REPEAT(at[j], buffer[j], &some, NULL, NULL, 0, NULL)
                elif w.stride[0][j] == size and n * size >= 8:
                    COPY_ROWS(at[j], buffer[j], &some, NULL, NULL, 0, NULL)
                else:
                    for i in range(copies):
                        fa_copy_row(
                            <char *>buffer[j] + i * n * size, size,
                            at[j] + i * w.stride[1][j], w.stride[0][j], n, size,
                        )
                last[j] = NULL if w.stride[1][j] else at[j]
            at[j] = <char *>buffer[j]
        drive(w.fn, w.nin, w.nout, at, stride, rows * n, w.kind, w.p)
        start += rows


cdef inline void extent(
    const Slices *w, int j, Py_ssize_t size, char **low, char **high
) noexcept nogil:
    """The memory that operand j is within."""
    cdef Py_ssize_t span
    cdef int d
    low[0] = w.ptr[j]
    high[0] = w.ptr[j] + size
    for d in range(w.ndim):
        span = (w.shape[d] - 1) * w.stride[d][j]
        if span < 0:
            low[0] += span
        else:
            high[0] += span


cdef inline bint share_memory(
    const Slices *w, int j, int k, Py_ssize_t size
) noexcept nogil:
    """Whether the memory that operands j and k are within overlaps."""
    cdef char *low[2]
    cdef char *high[2]
    extent(w, j, size, &low[0], &high[0])
    extent(w, k, size, &low[1], &high[1])
    return not (high[0] <= low[1] or high[1] <= low[0])


cdef inline bint all_apart(const Slices *w) noexcept nogil:
    """Whether kernels can take every row where it lies (see drive())."""
    cdef int j, k, d, size = size_of(w.kind)
    if w.kind >= F16 or w.ndim < 2:
        return False
    for j in range(w.nin + w.nout):
        if w.stride[0][j] != size and not (
            w.one != NULL and j == w.nin - 1 and w.stride[0][j] == 0
        ):
            return False
        if <Py_ssize_t>w.ptr[j] % size:
            return False
        for d in range(1, w.ndim):
            if w.stride[d][j] % size:
                return False
    for j in range(w.nin, w.nin + w.nout):
        for k in range(j):
            if share_memory(w, j, k, size):
                return False
    return True


cdef void rows_apart(const Slices *w, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """slices_part() of such rows, of at least LANES elements."""
    cdef char *at[MAX_OPERANDS]
    cdef char *a[MAX_OPERANDS]
    cdef double number
    cdef const double *p = w.p
    cdef kernel_t fn = w.fn
    cdef int j, nin = w.nin, count = w.nin + w.nout, size = size_of(w.kind)
    cdef Py_ssize_t n = w.shape[0], whole = n & -LANES, r, left = 0
    cdef Py_ssize_t last = (n - LANES) * size  # the rest, and some again
    cdef bint one = w.one != NULL and w.stride[0][nin - 1] == 0
    for j in range(MAX_OPERANDS):
        a[j] = NULL
    if one:
        p, fn = &number, w.one
    for r in range(start, stop):
        if left > 0:
            for j in range(count):
                at[j] += w.stride[1][j]
        else:
            place(w, r, at)
            left = w.shape[1] - r % w.shape[1]
        left -= 1
        if one:
            number = read_param(at[nin - 1], w.kind)
        for j in range(count):
            a[j - (one and j >= nin)] = at[j]
        fn(a[0], a[1], a[2], a[3], a[4], whole, p)
        if whole < n:
            for j in range(count - one):
                a[j] += last
            fn(a[0], a[1], a[2], a[3], a[4], LANES, p)


cdef void slices_part(void *work, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef Slices *w = <Slices *>work
    cdef char *at[ROWS][MAX_OPERANDS]
    cdef double buffer[MAX_OPERANDS][BLOCK + 2 * LANES]
    cdef uint16_t part[BLOCK + 2 * LANES]
    cdef char *a[MAX_OPERANDS]
    cdef char *raw
    cdef Py_ssize_t n = w.shape[0], r, i, m, full
    cdef Py_ssize_t rows = min(ROWS, max(BLOCK // n, <Py_ssize_t>1))
    cdef bint narrow = w.kind >= F16
    cdef int j, count = w.nin + w.nout, size = size_of(w.kind)
    if by_copies(w):
        beside_copies(w, start, stop)
        return
    if n >= FEW and all_apart(w):
        rows_apart(w, start, stop)
        return
    if n >= (BLOCK // 2 if narrow else FEW):
        for r in range(start, stop):
            place(w, r, at[0])
            row_at(w, at[0], n, False)
        return
    for j in range(MAX_OPERANDS):
        a[j] = <char *>buffer[j] if j < count else NULL
    while start < stop:
        rows = min(rows, stop - start)
        m = rows * n
        full = (m + LANES - 1) & -LANES
        for r in range(rows):
            place(w, start + r, at[r])
        for j in range(w.nin):
            raw = <char *>part if narrow else a[j]
            for r in range(rows):
                fa_copy_row(raw + r * n * size, size, at[r][j], w.stride[0][j], n, size)
            for i in range(m, full):
                memcpy(raw + i * size, raw + (m - 1) * size, size)
            if narrow:
                WIDEN[w.kind](part, a[j], NULL, NULL, NULL, full, NULL)
        w.fn(a[0], a[1], a[2], a[3], a[4], full, w.p)
        for j in range(w.nin, count):
            raw = <char *>part if narrow else a[j]
            if narrow:
                NARROW[w.kind](a[j], part, NULL, NULL, NULL, full, NULL)
            for r in range(rows):
                fa_copy_row(at[r][j], w.stride[0][j], raw + r * n * size, size, n, size)
        start += rows


cdef inline bint clash(const Slices *w, int j, int k, Py_ssize_t size) noexcept nogil:
    """Whether j, an output, shares memory with k other than element for element."""
    cdef bint same = k < w.nin and w.ptr[j] == w.ptr[k]
    cdef int d
    if not share_memory(w, j, k, size):
        return False
    for d in range(w.ndim):
        same = same and w.stride[d][j] == w.stride[d][k]
    return not same


cdef inline bint fits(cnp.ndarray a, int ndim, Slices *w) noexcept:
    """The shape of w, broadcast with that of a, if it can be."""
    cdef Py_ssize_t n
    cdef int d, missing = ndim - cnp.PyArray_NDIM(a)
    for d in range(missing, ndim):
        n = cnp.PyArray_DIM(a, d - missing)
        if w.shape[ndim - 1 - d] == 1:
            w.shape[ndim - 1 - d] = n
        elif n != 1 and n != w.shape[ndim - 1 - d]:
            return False
    return True


cdef inline bint take(Slices *w, int j, cnp.ndarray a, int ndim, bint nested) noexcept:
    """Take operand j; whether its axes are in order of memory.

    Nested: and no two of its elements in one place.
    """
    cdef Py_ssize_t stride, least = 0
    cdef bint ordered = True
    cdef int d, axis
    w.ptr[j] = cnp.PyArray_BYTES(a)
    for d in range(ndim):
        axis = cnp.PyArray_NDIM(a) - 1 - d
        stride = 0
        if axis >= 0 and cnp.PyArray_DIM(a, axis) > 1:
            stride = cnp.PyArray_STRIDE(a, axis)
        w.stride[d][j] = stride
        if w.shape[d] > 1 and (nested or stride != 0):
            ordered = ordered and stride >= least and stride > 0
            least = stride * w.shape[d] if nested else stride
    return ordered


cdef inline void merge(Slices *w, int ndim) noexcept nogil:
    """Make one of axes that follow each other in all operands."""
    cdef int d, j, last = -1, count = w.nin + w.nout
    cdef bint one
    for d in range(ndim):
        if w.shape[d] == 1:
            continue
        one = last >= 0
        for j in range(count):
            one = one and w.stride[d][j] == w.stride[last][j] * w.shape[last]
        if one:
            w.shape[last] *= w.shape[d]
            continue
        last += 1
        w.shape[last] = w.shape[d]
        for j in range(count):
            w.stride[last][j] = w.stride[d][j]
    if last < 0:
        last, w.shape[0] = 0, 1
    w.ndim = last + 1


# --- ufuncs -----------------------------------------------------------------

cdef struct LoopData:
    kernel_t fn
    int nin
    int nparam
    int nout
    int kind


cdef inline double read_param(const char *src, int kind) noexcept nogil:
    cdef float f, half[LANES]
    cdef double d
    if kind == F64:
        memcpy(&d, src, 8)
        return d
    if kind == F32:
        memcpy(&f, src, 4)
        return f
    gather(src, 2, 1, kind, <char *>half)
    return half[0]


cdef inline bint feeds_itself(
    char **args, const cnp.npy_intp *steps, int out
) noexcept nogil:
    """Whether an element needs the one before: ufunc.reduce and accumulate."""
    return steps[out] == 0 or (
        steps[0] == steps[out] and args[0] + steps[0] == args[out]
    )


cdef void ufunc_loop(
    char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data
) noexcept nogil:
    """NumPy's inner loop: inputs, parameters, outputs.

    Parameters nearly always have stride 0.  Where they do not, each run of
    equal ones is one call.  The floating-point flags are left as they were:
    kernels set them for reasons of their own (both arms of a select), and NumPy
    would make warnings of them.  (Only here: what calls a kernel without NumPy
    does not look at them, and NumPy clears them before it does.)
    """
    cdef fa_fpstate state
    cdef LoopData *loop = <LoopData *>data
    cdef char *ptr[MAX_OPERANDS]
    cdef Py_ssize_t stride[MAX_OPERANDS]
    cdef double p[MAX_PARAMS]
    cdef Py_ssize_t n = dims[0], start = 0, stop, _
    cdef int j, size = size_of(loop.kind)
    cdef int nin = loop.nin, nparam = loop.nparam, nout = loop.nout
    cdef bint same
    cdef char *each[MAX_OPERANDS + MAX_PARAMS]
    cdef cnp.npy_intp one = 1
    if n > 1 and feeds_itself(args, steps, nin + nparam):
        for j in range(nin + nparam + nout):
            each[j] = args[j]
        for _ in range(n):
            ufunc_loop(each, &one, steps, data)
            for j in range(nin + nparam + nout):
                each[j] += steps[j]
        return
    for j in range(nin):
        stride[j] = steps[j]
    for j in range(nout):
        stride[nin + j] = steps[nin + nparam + j]
    fa_fp_save(&state)
    while start < n:
        stop = n
        for j in range(nparam):
            p[j] = read_param(args[nin + j] + start * steps[nin + j], loop.kind)
            if steps[nin + j] != 0:
                stop = start + 1
        same = stop < n
        while same and stop < n:
            for j in range(nparam):
                if memcmp(
                    args[nin + j] + start * steps[nin + j],
                    args[nin + j] + stop * steps[nin + j],
                    size,
                ):
                    same = False
            stop += same
        for j in range(nin):
            ptr[j] = args[j] + start * steps[j]
        for j in range(nout):
            ptr[nin + j] = args[nin + nparam + j] + start * steps[nin + nparam + j]
        share(loop.fn, nin, nout, ptr, stride, stop - start, loop.kind, p)
        start = stop
    fa_fp_restore(&state)


cdef char *keep(str text) except NULL:
    """A C copy of text that lives as long as the process."""
    cdef bytes raw = text.encode()
    cdef char *copy = <char *>malloc(len(raw) + 1)
    if copy == NULL:
        raise MemoryError
    memcpy(copy, <char *>raw, len(raw) + 1)
    return copy


# --- loops ------------------------------------------------------------------

cdef inline bint plain(PyObject *x) noexcept:
    """An ndarray that a kernel can read where it lies."""
    if not cnp.PyArray_CheckExact(<object>x):
        return False
    cdef cnp.ndarray a = <cnp.ndarray>x
    return (
        kind_of(a) >= 0
        and cnp.PyArray_ISCARRAY_RO(a)
        and cnp.PyArray_NDIM(a) > 0
    )


cdef inline bint in_line(PyObject *x, char **ptr, Py_ssize_t *stride) noexcept:
    """Whether x is plain, or would be if its elements, in order, were not apart."""
    cdef cnp.ndarray a
    cdef Py_ssize_t span = 0
    cdef int kind, i
    if not cnp.PyArray_CheckExact(<object>x):
        return False
    a = <cnp.ndarray>x
    kind = kind_of(a)
    if not (
        kind >= 0
        and cnp.PyArray_ISBEHAVED_RO(a)
        and cnp.PyArray_NDIM(a) > 0
    ):
        return False
    ptr[0] = cnp.PyArray_BYTES(a)
    if cnp.PyArray_IS_C_CONTIGUOUS(a):
        stride[0] = size_of(kind)
        return True
    for i in range(cnp.PyArray_NDIM(a) - 1, -1, -1):
        if cnp.PyArray_DIM(a, i) != 1:
            if span == 0:
                span = stride[0] = cnp.PyArray_STRIDE(a, i)
            elif cnp.PyArray_STRIDE(a, i) != span:
                return False
            span *= cnp.PyArray_DIM(a, i)
    return span != 0


cdef inline bint begin_alike(cnp.ndarray a, cnp.ndarray b, int ndim) noexcept:
    """Whether both have one dtype, and their first ``ndim`` axes one shape."""
    return cnp.PyArray_TYPE(a) == cnp.PyArray_TYPE(b) and (
        ndim == 0 or memcmp(
            cnp.PyArray_DIMS(a), cnp.PyArray_DIMS(b), ndim * sizeof(cnp.npy_intp)
        ) == 0
    )


cdef inline bint alike(cnp.ndarray a, cnp.ndarray b) noexcept:
    cdef int ndim = cnp.PyArray_NDIM(a)
    return ndim == cnp.PyArray_NDIM(b) and begin_alike(a, b, ndim)


cdef inline void round_params(const double *p, int count, double *rounded) noexcept nogil:
    """As a ufunc takes them beside float16."""
    cdef int j
    for j in range(count):
        rounded[j] = fa_as_half(p[j])


cdef class Loop:
    """One kernel for float16, float32 and float64."""

    cdef kernel_t fn[2]  # by kind: F32, F64
    cdef kernel_t one[2]  # see Slices
    cdef int nin, nout, nparam
    cdef readonly object ufunc
    cdef readonly str name

    def __init__(self, kernel):
        cdef LoopData *data
        cdef int kind
        cdef int nparam = len(kernel.params)
        # NumPy keeps these arrays for the life of the ufunc: they are not freed.
        cdef cnp.PyUFuncGenericFunction *funcs = <cnp.PyUFuncGenericFunction *>PyMem_Malloc(
            3 * sizeof(void *)
        )
        cdef void **datas = <void **>PyMem_Malloc(3 * sizeof(void *))
        cdef char *types = <char *>PyMem_Malloc(3 * (MAX_OPERANDS + MAX_PARAMS))
        cdef int nargs
        if funcs == NULL or datas == NULL or types == NULL:
            raise MemoryError
        self.name = kernel.public
        self.nin = len(kernel.inputs)
        self.nout = len(kernel.outputs)
        self.nparam = nparam
        nargs = self.nin + self.nparam + self.nout
        self.fn[F32] = find(kernel.name + "_f32")
        self.fn[F64] = find(kernel.name + "_f64")
        self.one[F32] = self.one[F64] = NULL
        if kernel.kind == "prelu" and kernel.form != "backward":
            self.one[F32] = find(f"{kernel.row.name}_{kernel.form}_f32")
            self.one[F64] = find(f"{kernel.row.name}_{kernel.form}_f64")
        # float16 first: integers then promote as they do for numpy.exp.
        for i, kind in enumerate((F16, F32, F64)):
            data = <LoopData *>PyMem_Malloc(sizeof(LoopData))
            if data == NULL:
                raise MemoryError
            data.fn = self.fn[F64 if kind == F64 else F32]
            data.nin, data.nparam, data.nout = self.nin, self.nparam, self.nout
            data.kind = kind
            funcs[i] = <cnp.PyUFuncGenericFunction>ufunc_loop
            datas[i] = data
            for j in range(nargs):
                types[i * nargs + j] = (
                    cnp.NPY_FLOAT16, cnp.NPY_FLOAT, cnp.NPY_DOUBLE
                )[i]
        self.ufunc = cnp.PyUFunc_FromFuncAndData(
            funcs, datas, types, 3, self.nin + self.nparam, self.nout,
            cnp.PyUFunc_None, keep(self.name),
            keep(_registry.describe(kernel)), 0,
        )
        if hasattr(self.ufunc, "__dict__"):  # NumPy 2.2: pickled by this name
            self.ufunc.__module__ = "fastact.ufuncs"

    cdef object sliced(self, PyObject *const *x, PyObject *out, const double *p):
        """run() of operands that are not all alike and in line: slices, or broadcast."""
        cdef Slices w
        cdef double rounded[MAX_PARAMS]
        cdef cnp.ndarray a, y = None
        cdef cnp.npy_intp shape[MOST_AXES]
        cdef Py_ssize_t rows = 1
        cdef int ndim = 0, j, k, d, size
        cdef tuple several = PyTuple_New(self.nout) if self.nout > 1 else None
        cdef PyObject *one
        if not cnp.PyArray_CheckExact(<object>x[0]):
            return None
        w.nin, w.nout, w.p, w.kind = self.nin, self.nout, p, kind_of(<cnp.ndarray>x[0])
        if w.kind == F16 and self.nparam:
            round_params(p, self.nparam, rounded)
            w.p = rounded
        for j in range(self.nin):
            if not cnp.PyArray_CheckExact(<object>x[j]):
                return None
            a = <cnp.ndarray>x[j]
            if w.kind < 0 or kind_of(a) != w.kind or not cnp.PyArray_ISBEHAVED_RO(a):
                return None
            ndim = max(ndim, cnp.PyArray_NDIM(a))
        if ndim == 0 or ndim > MOST_AXES:
            return None
        for d in range(ndim):
            w.shape[d] = 1
        for j in range(self.nin):
            if not fits(<cnp.ndarray>x[j], ndim, &w):
                return None
        for d in range(ndim):
            shape[ndim - 1 - d] = w.shape[d]
            rows *= w.shape[d]  # (elements, so far)
        if rows == 0:
            return None
        for j in range(self.nin):
            if not take(&w, j, <cnp.ndarray>x[j], ndim, False) and out == NULL:
                return None  # (NumPy's result has the order of its inputs)
        w.ndim, size = ndim, size_of(w.kind)
        for j in range(self.nin, self.nin + self.nout):
            if out == NULL:
                y = fa_empty(<cnp.ndarray>x[0], ndim, shape)
            else:
                one = out
                if self.nout > 1:
                    if type(<object>out) is not tuple or len(<tuple>out) != self.nout:
                        return None
                    one = <PyObject *>PyTuple_GET_ITEM(<tuple>out, j - self.nin)
                if not cnp.PyArray_CheckExact(<object>one):
                    return None
                y = <cnp.ndarray>one
                if (
                    kind_of(y) != w.kind or not cnp.PyArray_ISBEHAVED(y)
                    or cnp.PyArray_NDIM(y) != ndim
                    or memcmp(cnp.PyArray_DIMS(y), shape, ndim * sizeof(cnp.npy_intp))
                ):
                    return None
            if not take(&w, j, y, ndim, True):
                return None
            for k in range(j if out != NULL else 0):
                if clash(&w, j, k, size):
                    return None
            if several is not None:
                Py_INCREF(y)  # the tuple takes a reference over
                PyTuple_SET_ITEM(several, j - self.nin, y)
        merge(&w, ndim)
        w.fn = self.fn[F64 if w.kind == F64 else F32]
        w.one = self.one[F64 if w.kind == F64 else F32]
        if rows >= RELEASE_GIL:
            rows //= w.shape[0]
            with nogil:
                if rows == 1:
                    row_at(&w, w.ptr, w.shape[0], True)
                else:
                    spread(slices_part, &w, rows, max(FIRST // w.shape[0], 1))
        else:
            slices_part(&w, 0, rows // w.shape[0])
        return y if several is None else several

    cdef object run(self, PyObject *const *x, PyObject *out, const double *p):
        """The result, or None where the ufunc has to do it."""
        cdef char *ptr[MAX_OPERANDS]
        cdef Py_ssize_t stride[MAX_OPERANDS]
        cdef cnp.ndarray first = <cnp.ndarray>x[0], y
        cdef tuple several = PyTuple_New(self.nout) if self.nout > 1 else None
        cdef PyObject *one
        cdef int i, j, k, kind
        cdef Py_ssize_t n, size
        cdef double rounded[MAX_PARAMS]
        cdef kernel_t fn
        cdef bint dense, in_place = False
        if not in_line(x[0], ptr, stride):
            return self.sliced(x, out, p)
        kind = kind_of(first)
        size = size_of(kind)
        fn = self.fn[F64 if kind == F64 else F32]
        if kind == F16 and self.nparam:  # (as the ufunc takes them)
            round_params(p, self.nparam, rounded)
            p = rounded
        n = cnp.PyArray_SIZE(first)
        dense = stride[0] == size
        for j in range(1, self.nin):
            if not (in_line(x[j], &ptr[j], &stride[j]) and alike(first, <cnp.ndarray>x[j])):
                return self.sliced(x, out, p)
            dense = dense and stride[j] == size
        for j in range(self.nout):
            if out == NULL:
                y = fa_empty(first, cnp.PyArray_NDIM(first), cnp.PyArray_DIMS(first))
                ptr[self.nin + j], stride[self.nin + j] = cnp.PyArray_BYTES(y), size
            else:
                one = out
                if self.nout > 1:
                    if type(<object>out) is not tuple or len(<tuple>out) != self.nout:
                        return self.sliced(x, out, p)
                    one = <PyObject *>PyTuple_GET_ITEM(<tuple>out, j)
                if not in_line(one, &ptr[self.nin + j], &stride[self.nin + j]):
                    return self.sliced(x, out, p)
                y = <cnp.ndarray>one
                k = self.nin + j
                if not (
                    cnp.PyArray_ISWRITEABLE(y) and alike(first, y)
                    and (stride[k] >= size or stride[k] <= -size)
                ):
                    return self.sliced(x, out, p)
                dense = dense and stride[k] == size
                for i in range(k):
                    if beside(ptr, stride, n, size, k, i):
                        continue
                    if i >= self.nin or ptr[k] != ptr[i] or stride[k] != stride[i]:
                        return self.sliced(x, out, p)
                    in_place = True
            if several is not None:
                Py_INCREF(y)  # the tuple takes a reference over
                PyTuple_SET_ITEM(several, j, y)
        if n >= RELEASE_GIL:
            with nogil:
                share(fn, self.nin, self.nout, ptr, stride, n, kind, p)
        elif kind < F16 and dense and (not in_place or n < LANES):
            few(fn, self.nin, self.nout, ptr, n, size, p)
        else:
            drive(fn, self.nin, self.nout, ptr, stride, n, kind, p)
        return y if several is None else several

    def fast(self, tuple inputs, tuple params, object out):
        """The direct entry for arrays and parameters that are all floats."""
        cdef double p[MAX_PARAMS]
        cdef PyObject *x[MAX_OPERANDS]
        cdef int j
        if len(inputs) != self.nin or len(params) != self.nparam:
            raise TypeError(f"{self.name}: {len(inputs)} inputs, {len(params)} parameters")
        for j in range(self.nparam):
            p[j] = params[j]
        for j in range(self.nin):
            x[j] = <PyObject *>PyTuple_GET_ITEM(inputs, j)
        return self.run(x, NULL if out is None else <PyObject *>out, p)


LOOPS = {kernel.public: Loop(kernel) for kernel in _registry.kernels()}


def loop(str public):
    """The loop of that public kernel name."""
    return LOOPS[public]


cdef class Bound:
    """A call with parameters: what its keywords resolved to."""

    cdef tuple names, values  # the keywords; of out, None
    cdef Py_ssize_t out  # where out is among them, or -1
    cdef Loop loop
    cdef double p[MAX_PARAMS]

    def __init__(self, dict keywords, Loop loop, tuple params):
        cdef int j
        self.names, self.loop, self.out = tuple(keywords), loop, -1
        self.values = tuple([None if k == "out" else v for k, v in keywords.items()])
        if "out" in keywords:
            self.out = self.names.index("out")
        for j in range(len(params)):
            self.p[j] = params[j]

    cdef object run(
        self, PyObject *const *args, Py_ssize_t n, PyObject *names
    ):
        """The call, if it is this one on plain arrays; else None."""
        cdef Py_ssize_t i
        cdef PyObject *out = NULL
        if n != self.loop.nin or (
            <PyObject *>self.names != names and self.names != <object>names
        ):
            return None
        for i in range(len(self.values)):
            if i == self.out:
                out = args[n + i] if args[n + i] != <PyObject *>None else NULL
            elif args[n + i] != <PyObject *>self.values[i] and not same_number(
                <object>args[n + i], self.values[i]
            ):
                return None
        return self.loop.run(args, out, self.p)


cdef inline bint same_number(object a, object b):
    """The same float, to the sign of 0.  (Text in a program is the same object.)"""
    cdef double x, y
    if type(a) is not float or type(b) is not float:
        return False
    x, y = a, b
    return memcmp(&x, &y, sizeof(double)) == 0


FLOAT_TYPES = frozenset((np.float16, np.float32, np.float64))


cdef inline bint unchecked(PyObject *const *x, Py_ssize_t n, tuple params):
    """Whether a ufunc can have these inputs as they are: what could be wrong is right.

    (Beside integers a parameter would mean float64.  Many bytes have a quicker way.)
    """
    cdef cnp.ndarray a
    cdef Py_ssize_t i
    if n == 1:
        kind = type(<object>x[0])
        if kind is float or kind in FLOAT_TYPES:
            return True
        if kind is int and not params:
            return -0x80000000 <= <object>x[0] < 0x80000000
    for i in range(n):
        if not cnp.PyArray_CheckExact(<object>x[i]):
            return False
    a = <cnp.ndarray>x[0]
    if kind_of(a) in (F32, F64, F16):
        for i in range(1, n):
            if not alike(a, <cnp.ndarray>x[i]):
                return False
        return True
    return (
        n == 1 and not params and cnp.PyTypeNum_ISINTEGER(cnp.PyArray_TYPE(a))
        and (cnp.PyArray_ITEMSIZE(a) > 1 or cnp.PyArray_SIZE(a) < 1000)
    )


# A call through tp_call costs a tuple and a dict; the vectorcall protocol (PEP
# 590) takes the arguments where they stand, which halves a small call.

cdef object answer(Entry entry, PyObject *const *args, size_t nargsf, PyObject *names):
    """Plain arrays and at most out=, or keywords as in the last call: the kernel.
    Anything else: ``_general``.
    """
    cdef Py_ssize_t n = PyVectorcall_NARGS(nargsf), i
    cdef PyObject *out = NULL
    cdef Loop loop = entry.loop
    cdef bint quick = loop is not None and n == loop.nin
    cdef tuple outs
    if quick and names != NULL:
        quick = len(<tuple>names) == 1 and (<tuple>names)[0] == "out"
        if quick and args[n] != <PyObject *>None:
            out = args[n]
    elif loop is not None and n == loop.nin + loop.nout and names == NULL:
        quick = True  # the outputs by position
        if loop.nout == 1:
            out = args[loop.nin] if args[loop.nin] != <PyObject *>None else NULL
        else:
            outs = (<object>args[loop.nin], <object>args[loop.nin + 1])
            out = <PyObject *>outs
    if quick:
        result = loop.run(args, out, entry.p)
        if result is not None:
            return result
        if n == loop.nin and names == NULL and unchecked(args, n, entry.params):
            return loop.ufunc(*[<object>args[i] for i in range(n)], *entry.params)
    elif names != NULL and entry.last != NULL:
        result = (<Bound>entry.last).run(args, n, names)
        if result is not None:
            return result
    keywords = {}
    if names != NULL:
        for i, name in enumerate(<tuple>names):
            keywords[name] = <object>args[n + i]
    return entry.owner._general(
        entry.form, tuple([<object>args[i] for i in range(n)]), keywords
    )


cdef object call_entry(PyObject *self, PyObject *const *args, size_t n, PyObject *names):
    return answer(<Entry>self, args, n, names)


cdef object call_front(PyObject *self, PyObject *const *args, size_t n, PyObject *names):
    return answer((<Front>self).value, args, n, names)


cdef class Entry:
    """One form of an activation, as a function."""

    cdef vectorcallfunc vectorcall
    cdef Loop loop  # None: always _general
    cdef double p[MAX_PARAMS]
    cdef tuple params  # the same
    # The Bound of the last call with parameters.  Borrowed: the owner keeps all that
    # it made, so that threads can read this without a lock.
    cdef PyObject *last
    cdef readonly object owner
    cdef readonly str form

    def __cinit__(self):
        self.vectorcall = <vectorcallfunc>call_entry

    def __init__(self, owner, str form):
        self.owner, self.form = owner, form

    def __call__(self, *args, **kwargs):
        return self.owner._general(self.form, args, kwargs)

    @property
    def __name__(self):
        return self.form

    @property
    def __signature__(self):
        return self.owner._signature_of(self.form)

    @property
    def __doc__(self):
        return self.owner._doc_of(self.form)

    def __repr__(self):
        return f"<{self.form} of {self.owner!r}>"

    def __reduce__(self):
        return getattr, (self.owner, self.form)


cdef class Front:
    """The base of the activations: their forms, each the quick way in."""

    cdef vectorcallfunc vectorcall
    cdef Entry value
    cdef readonly Entry derivative, value_and_derivative, backward, backward_from_output

    def __cinit__(self):
        self.vectorcall = <vectorcallfunc>call_front
        self.value = Entry(self, "value")
        self.derivative = Entry(self, "derivative")
        self.value_and_derivative = Entry(self, "value_and_derivative")
        self.backward = Entry(self, "backward")
        self.backward_from_output = Entry(self, "backward_from_output")

    def _set_fast(self, row, params):
        """Use the kernels of ``row``, with ``params`` as the defaults."""
        cdef Entry entry
        cdef int j
        for entry in (
            self.value, self.derivative, self.value_and_derivative, self.backward,
            self.backward_from_output,
        ):
            entry.loop = LOOPS.get(row.name + _registry.SUFFIX[entry.form])
            entry.params = tuple([float(p) for p in params])
            for j in range(len(params)):
                entry.p[j] = params[j]

    cdef Entry _entry(self, str form):
        return self.value if form == "value" else getattr(self, form)

    def _bind(self, dict keywords, loop, params):
        """What to give _recall() when a call with these keywords comes again."""
        if all([type(v) in (float, int, str) for k, v in keywords.items() if k != "out"]):
            return Bound(keywords, loop, params)

    def _recall(self, str form, Bound bound):
        """Try ``bound`` first at the next call.  The caller keeps it for ever."""
        self._entry(form).last = <PyObject *>bound

    def __call__(self, *args, **kwargs):
        return self._general("value", args, kwargs)


def use_vectorcall(type cls):
    """Let ``cls``, Front, AxisFront or Entry or made from one, be called by vectorcall."""
    if issubclass(cls, Front):
        fa_use_vectorcall(<PyObject *>cls, front_offset())
    elif issubclass(cls, AxisFront):
        fa_use_vectorcall(<PyObject *>cls, axis_front_offset())
    else:
        fa_use_vectorcall(<PyObject *>cls, entry_offset())


cdef Py_ssize_t front_offset():
    cdef Front object_ = Front()
    return <char *>&object_.vectorcall - <char *><PyObject *>object_


cdef Py_ssize_t entry_offset():
    cdef Entry object_ = Entry(None, "")
    return <char *>&object_.vectorcall - <char *><PyObject *>object_


use_vectorcall(Entry)
use_vectorcall(Front)


# --- along an axis ----------------------------------------------------------

cdef struct Rows:  # the operands of an axis kernel, the last the output
    kernel_t fn
    Py_ssize_t n
    int kind, count
    char *ptr[3]
    Py_ssize_t width[3]  # elements of a row of each: n, or 1
    bint failed  # for want of memory


cdef kernel_t axis_kernel(str name, int kind) except NULL:
    return find(f"{name}_{'f64' if kind == F64 else 'f32'}")


cdef int operands(
    Rows *w, str name, cnp.ndarray a, cnp.ndarray b, cnp.ndarray out
) except -1:
    """Of the kernel ``name``; the second axis has the elements of a row; b may be None."""
    cdef cnp.ndarray x
    cdef int j
    w.kind, w.n, w.count = kind_of(out), 0, 0
    w.fn = axis_kernel(name, w.kind)
    for x in (a, b, out):
        if x is not None:
            w.n = max(w.n, x.shape[1])
            w.ptr[w.count], w.width[w.count] = cnp.PyArray_BYTES(x), x.shape[1]
            w.count += 1
    for j in range(w.count, 3):
        w.ptr[j], w.width[j] = NULL, 0
    return 0


cdef char *room(Rows *w, Py_ssize_t rows, int more, char **a) noexcept nogil:
    """Memory for so many rows of each operand, as the kernel takes them, at ``a``.

    Each begins a line of the cache; ``more`` elements to a row.  NULL where there is no
    memory.
    """
    cdef Py_ssize_t bytes = 0, at[3]
    cdef char *memory
    cdef int j
    for j in range(w.count):
        at[j] = bytes
        bytes += (size_in_kernels(w.kind) * (rows * (w.width[j] + more) + LANES) + 63) & -64
    memory = <char *>malloc(bytes + 64)
    if memory == NULL:
        w.failed = True
        return NULL
    for j in range(w.count):
        a[j] = memory + (-<Py_ssize_t>memory & 63) + at[j]
    if w.count == 2 and w.n > 1 and w.width[1] == w.n:
        a[1] = a[0]  # (softmax and log_softmax may: less of the cache)
    return memory


cdef int shared(
    void (*part)(void *, Py_ssize_t, Py_ssize_t) noexcept nogil, Rows *work,
    Py_ssize_t count, Py_ssize_t elements
) except -1:
    """spread() ``count`` pieces of so many elements each."""
    cdef fa_fpstate state
    work.failed = False
    with nogil:
        fa_fp_save(&state)
        spread(part, work, count, max(FIRST // elements, 1))
        fa_fp_restore(&state)
    if work.failed:
        raise MemoryError
    return 0


cdef inline void convert(
    char *narrow, char *wide, Py_ssize_t n, int kind, bint back
) noexcept nogil:
    """n contiguous elements from ``narrow`` to float32, or back."""
    cdef float few[LANES]
    cdef Py_ssize_t start = 0, m
    while start < n:
        m = min(n - start, <Py_ssize_t>BLOCK)
        if m >= LANES:
            m = m & -LANES
        elif n >= LANES:  # the last of them, some again
            m, start = LANES, n - LANES
        if back:
            scatter(wide + 4 * start, m, kind, narrow + 2 * start, 2)
        elif m >= LANES:
            gather(narrow + 2 * start, 2, m, kind, wide + 4 * start)
        else:
            gather(narrow + 2 * start, 2, m, kind, <char *>few)
            memcpy(wide + 4 * start, few, 4 * m)
        start += m


cdef void rows_part(void *work, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef Rows *w = <Rows *>work
    cdef Py_ssize_t step = batch(w.n)
    cdef double rows
    cdef char *ptr[3]
    cdef char *a[3]
    cdef char *memory = NULL
    cdef int j, size = size_of(w.kind), last = w.count - 1
    for j in range(3):
        ptr[j] = w.ptr[j] + start * w.width[j] * size
        a[j] = NULL
    if w.kind >= F16:
        memory = room(w, step, 0, a)
        if memory == NULL:
            return
    while start < stop:
        rows = min(step, stop - start)
        if memory == NULL:
            for j in range(w.count):
                a[j] = ptr[j]
        else:
            for j in range(last):
                convert(ptr[j], a[j], <Py_ssize_t>rows * w.width[j], w.kind, False)
        w.fn(a[0], a[1], a[2], NULL, NULL, w.n, &rows)
        if memory != NULL:
            convert(ptr[last], a[last], <Py_ssize_t>rows * w.width[last], w.kind, True)
        for j in range(w.count):
            ptr[j] += step * w.width[j] * size
        start += step
    free(memory)


def axis_rows(str name, cnp.ndarray a, cnp.ndarray b, cnp.ndarray out):
    """Run the axis kernel ``name`` over all rows.

    ``a``, ``b`` (or None) and ``out`` are C-contiguous, of one dtype that has a kind,
    and of shape (rows, n); an operand that is one number per row has shape (rows, 1).
    """
    cdef Rows work
    operands(&work, name, a, b, out)
    shared(rows_part, &work, a.shape[0], work.n)


# --- along an axis with others after it ----------------------------------------

cdef enum:
    TILE = 1 << 19  # bytes of columns at a time, of an operand: they are read again
    WIDEST = 256  # columns at a time: as many as pay
    NARROWEST = 128  # bytes of a line: fewer take as long

cdef struct Columns:  # operands of shape (outer, width, inner)
    Rows rows  # (first: what is shared() is this)
    Py_ssize_t inner, count, at_once  # columns: in a block, in all, and at a time


cdef inline Py_ssize_t group_bytes(Rows *w, int j) noexcept nogil:
    """How far apart groups of LANES columns of operand j are.

    (Not by a power of 2, or the cache can hold few of a line's.)
    """
    return (w.width[j] + (w.width[j] > 1)) * LANES * size_in_kernels(w.kind)


cdef inline void copy_lines(
    char *x, char *groups, fa_lines *lines, int kind, bint back
) noexcept nogil:
    cdef kernel_t fn = TO_LINES[kind] if back else FROM_LINES[kind]
    fn(x, groups, lines, NULL, NULL, 0, NULL)


cdef inline void copy_columns(
    Columns *c, int j, Py_ssize_t first, Py_ssize_t columns, char *groups, bint back
) noexcept nogil:
    """Some of operand j to groups, line by line in each, or back."""
    cdef Rows *w = &c.rows
    cdef int size = size_of(w.kind)
    cdef Py_ssize_t at, m, i, some
    cdef char *x
    cdef fa_lines lines
    cdef float wide[LANES * WIDEST + LANES]
    lines.place, lines.apart = 0, group_bytes(w, j)
    while columns > 0:  # (block by block)
        at = first % c.inner
        m = min(columns, c.inner - at)
        x = w.ptr[j] + (first // c.inner * w.width[j] * c.inner + at) * size
        lines.n, lines.count, lines.stride = w.width[j], m, c.inner * size
        lines.next = m * size
        if at + m == c.inner:
            lines.next = w.width[j] * lines.stride - at * size
        if w.kind < F16 or (lines.place == 0 and m % LANES == 0):
            copy_lines(x, groups, &lines, w.kind, back)
        else:
            some = LANES if m == c.inner else 1  # lines of memory without gaps
            lines.stride, lines.next = 4 * m, 0
            i = 0
            while i < w.width[j]:  # (a step of range() must be a literal)
                lines.n = min(some, w.width[j] - i)
                fa_fetch(x + 8 * some * c.inner * size, some * m * size, False)
                if not back:
                    convert(x, <char *>wide, lines.n * m, w.kind, False)
                copy_lines(<char *>wide, groups + i * LANES * 4, &lines, F32, back)
                if back:
                    convert(x, <char *>wide, lines.n * m, w.kind, True)
                x += some * c.inner * size
                i += some
        groups += (lines.place + m) // LANES * lines.apart
        lines.place = (lines.place + m) % LANES
        first += m
        columns -= m


cdef void columns_part(void *work, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef Columns *c = <Columns *>work
    cdef Rows *w = &c.rows
    cdef int last = w.count - 1, j
    cdef Py_ssize_t part, first, columns, group
    cdef char *a[3]
    cdef char *at[3]
    cdef char *memory = room(w, c.at_once, 1, a)
    if memory == NULL:
        return
    at[2] = NULL
    if w.width[last] == w.width[last - 1]:
        a[last] = a[last - 1]
    for part in range(start, stop):
        first = part * c.at_once
        columns = min(c.at_once, c.count - first)
        for j in range(last):
            if columns % LANES:  # the rest of the last group is computed too
                group = group_bytes(w, j)
                memset(a[j] + columns // LANES * group, 0, group)
            copy_columns(c, j, first, columns, a[j], False)
        for group in range((columns + LANES - 1) // LANES):
            for j in range(w.count):
                at[j] = a[j] + group * group_bytes(w, j)
            w.fn(at[0], at[1], at[2], NULL, NULL, w.n, NULL)
        copy_columns(c, last, first, columns, a[last], True)
    free(memory)


def axis_columns(str name, cnp.ndarray a, cnp.ndarray b, cnp.ndarray out):
    """Run the axis kernel ``name`` along the middle one of three axes.

    ``a``, ``b`` (or None) and ``out`` are C-contiguous, of one dtype that has a kind; an
    operand that is one number per column has 1 there.  ``out`` may be ``a``.
    """
    cdef Columns work
    operands(&work.rows, name + "_columns", a, b, out)
    share_columns(&work, out.shape[0], out.shape[2])


cdef int share_columns(Columns *c, Py_ssize_t outer, Py_ssize_t inner) except -1:
    """Run the kernel of c.rows on its operands of shape (outer, width, inner)."""
    cdef Rows *w = &c.rows
    cdef Py_ssize_t bytes = size_in_kernels(w.kind) * w.n, parts
    c.inner, c.count = inner, outer * inner
    c.at_once = max(TILE // bytes & -LANES, NARROWEST // size_of(w.kind))
    c.at_once = min(c.at_once, <Py_ssize_t>WIDEST)
    parts = (c.count + c.at_once - 1) // c.at_once
    return shared(columns_part, w, parts, w.n * c.at_once)


cdef inline bint one_each(cnp.ndarray a, cnp.ndarray x, int axis, bint kept) noexcept:
    """Whether a is like x with one number along the axis: gone, or as 1 if ``kept``."""
    cdef int ndim = cnp.PyArray_NDIM(x) - 1, i
    if kept:
        if cnp.PyArray_NDIM(a) != ndim + 1 or cnp.PyArray_DIM(a, axis) != 1:
            return False
    elif cnp.PyArray_NDIM(a) != ndim:
        return False
    for i in range(axis, ndim):
        if cnp.PyArray_DIM(a, i + kept) != cnp.PyArray_DIM(x, i + 1):
            return False
    return begin_alike(a, x, axis)


cdef class AxisKernel:
    """One for rows and for columns."""

    cdef kernel_t fn[2][2]  # by kind (F32, F64); rows, columns

    def __init__(self, str name):
        for kind in (F32, F64):
            self.fn[kind][0] = axis_kernel(name, kind)
            self.fn[kind][1] = axis_kernel(name + "_columns", kind)


AXIS_KERNELS = {
    name[: -len("_columns_f32")]: AxisKernel(name[: -len("_columns_f32")])
    for name in INDEX if name.endswith("_columns_f32")
}


def along(
    str name, x, axis, g=None, out=None, bint reduces=False, bint keepdims=False
):
    """The axis kernel ``name``, the quick way: see below."""
    return by_kernel(AXIS_KERNELS[name], x, axis, g, out, reduces, keepdims)


cdef object by_kernel(
    AxisKernel kernel, x, axis, g, out, bint reduces, bint keepdims
):
    """The result, a new array or ``out``.

    Of a function that ``reduces`` the axis the value, and so g, has one number along it.
    (None for ``axis`` means all of x, for a value without ``out``.)
    None where the axis is not one of x, the arrays are not contiguous and of fitting
    shapes and one dtype, or ``out`` overlaps one (of a value that is like x it may be
    ``x`` itself).
    """
    cdef Columns work
    cdef Rows *w = &work.rows
    cdef Py_ssize_t bytes, outer, inner = 1
    cdef cnp.npy_intp shape[MOST_AXES]
    cdef int i, j, k, ndim
    cdef char *to
    cdef bint small = reduces and g is None
    if not (plain(<PyObject *>x) and cnp.PyArray_SIZE(x)):
        return None
    ndim = cnp.PyArray_NDIM(x)
    if ndim > MOST_AXES:
        return None
    if axis is None and g is None and out is None:
        k = ndim  # all of x is one row
    elif type(axis) is not int or not -ndim <= axis < ndim:
        return None
    else:
        k = axis
        k += ndim if k < 0 else 0
    if not (
        g is None
        or plain(<PyObject *>g) and (
            one_each(g, x, k, False) or one_each(g, x, k, True) if reduces
            else alike(g, x)
        )
    ):
        return None
    w.n = cnp.PyArray_SIZE(x) if k == ndim else cnp.PyArray_DIM(x, k)
    for j in range(k + 1, ndim):
        inner *= cnp.PyArray_DIM(x, j)
    outer = cnp.PyArray_SIZE(x) // (w.n * inner)
    if out is None and not small:
        out = fa_empty(x, ndim, cnp.PyArray_DIMS(x))
    elif out is None:
        i = 0
        for j in range(ndim):
            if j != k and k != ndim:
                shape[i] = cnp.PyArray_DIM(x, j)
                i += 1
            elif keepdims:
                shape[i] = 1
                i += 1
        out = fa_empty(x, i, shape)
    else:
        if not (
            plain(<PyObject *>out) and cnp.PyArray_ISWRITEABLE(out)
            and (one_each(out, x, k, keepdims) if small else alike(out, x))
        ):
            return None
        bytes = cnp.PyArray_NBYTES(out)
        to = cnp.PyArray_BYTES(out)
        if g is not None and not apart(
            to, bytes, cnp.PyArray_BYTES(g), cnp.PyArray_NBYTES(g)
        ):
            return None
        if not (
            (g is None and not small and to == cnp.PyArray_BYTES(x))
            or apart(to, bytes, cnp.PyArray_BYTES(x), cnp.PyArray_NBYTES(x))
        ):
            return None
    w.kind = kind_of(x)
    w.fn = kernel.fn[F64 if w.kind == F64 else F32][inner != 1]
    w.count = 2 if g is None else 3
    for j in range(3):
        w.width[j] = w.n
    if reduces:
        w.width[1 if small else 0] = 1
    w.ptr[0] = cnp.PyArray_BYTES(x if g is None else g)
    w.ptr[1] = cnp.PyArray_BYTES(out if g is None else x)
    w.ptr[2] = NULL if g is None else cnp.PyArray_BYTES(out)
    if inner == 1:
        shared(rows_part, w, outer, w.n)
    else:
        share_columns(&work, outer, inner)
    return out


cdef object call_axis(
    PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names
):
    """The value of a plain array; anything else: the method."""
    cdef AxisFront front = <AxisFront>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(nargsf), i
    cdef bint quick = (n == 1 or n == 2) and front.kernel is not None, keepdims = False
    axis, out = -1, None
    if n == 2:
        axis = <object>args[1]
    if names != NULL:
        for i, name in enumerate(<tuple>names):
            value = <object>args[n + i]
            if name == "axis" and n == 1:
                axis = value
            elif name == "out":
                out = value
            elif name == "keepdims" and front.reduces and type(value) is bool:
                keepdims = value
            elif name != "dtype" or value is not None:
                quick = False
    if quick:
        result = by_kernel(
            front.kernel, <object>args[0], axis, None, out, front.reduces, keepdims
        )
        if result is not None:
            return result if cnp.PyArray_NDIM(result) else result[()]
    keywords = {}
    if names != NULL:
        for i, name in enumerate(<tuple>names):
            keywords[name] = <object>args[n + i]
    return front.method(*[<object>args[i] for i in range(n)], **keywords)


cdef class AxisFront:
    """The base of the functions along an axis: their quick way in."""

    cdef vectorcallfunc vectorcall
    cdef AxisKernel kernel
    cdef bint reduces
    cdef object method

    def __cinit__(self):
        self.vectorcall = <vectorcallfunc>call_axis

    def _set_axis(self, str name, bint reduces, method):
        """Use the kernels of that name, and ``method`` for what they do not take."""
        self.kernel, self.reduces, self.method = AXIS_KERNELS[name], reduces, method


cdef Py_ssize_t axis_front_offset():
    cdef AxisFront object_ = AxisFront()
    return <char *>&object_.vectorcall - <char *><PyObject *>object_


use_vectorcall(AxisFront)
