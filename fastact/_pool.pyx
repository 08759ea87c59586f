# cython: freethreading_compatible=True
"""The threads that share the work of one large call.

``spread`` cuts [0, n) into parts.  The calling thread and its helpers take one
after the other until none is left, so a helper that wakes up late, or whose core
is busy with something else, delays nobody.

Helpers are native threads without a Python state: they never want the GIL, and
the interpreter neither knows them nor waits for them when it ends.  They are
started when they are first needed and sleep between calls.  There is one set of
them in a process, and one call at a time has it; whoever calls meanwhile does all
of its work in its own thread, and helpers step aside for it after the part that they
are at: max(number of threads, number of callers) threads are at work, whatever calls
here (dask workers, thread pools ...).
"""

import os

cdef extern from *:
    """
    #include <fenv.h>
    #include <time.h>

    /* In ns, from some point in time. */
    static double fa_now(void) {
        struct timespec now;
    #if defined(_WIN32)
        timespec_get(&now, TIME_UTC);
    #else
        clock_gettime(CLOCK_MONOTONIC, &now);
    #endif
        return 1e9 * (double)(now.tv_sec & 0xFFFFF) + (double)now.tv_nsec;
    }

    /* The number of threads: of this thread's calls, 0 where that of the process holds. */
    #if defined(_MSC_VER)
    static __declspec(thread) int fa_here;
    static volatile int fa_everywhere = 1;
    #define fa_load(p) (*(p))
    #define fa_store(p, n) (*(p) = (n))
    #else
    static __thread int fa_here;
    static int fa_everywhere = 1;
    #define fa_load(p) __atomic_load_n((p), __ATOMIC_RELAXED)
    #define fa_store(p, n) __atomic_store_n((p), (n), __ATOMIC_RELAXED)
    #endif

    #if defined(_WIN32)
    typedef int fa_signals;
    static void fa_block_signals(fa_signals *old) {}
    static void fa_unblock_signals(const fa_signals *old) {}
    #else
    #include <signal.h>
    typedef sigset_t fa_signals;
    /* Signals are for the program's own threads; faults have to stay. */
    static void fa_block_signals(fa_signals *old) {
        sigset_t set;
        sigfillset(&set);
        sigdelset(&set, SIGSEGV);
        sigdelset(&set, SIGBUS);
        sigdelset(&set, SIGFPE);
        sigdelset(&set, SIGILL);
        pthread_sigmask(SIG_SETMASK, &set, old);
    }
    static void fa_unblock_signals(const fa_signals *old) {
        pthread_sigmask(SIG_SETMASK, old, NULL);
    }
    #endif
    """
    int fa_here, fa_everywhere
    int fa_load(int *) noexcept nogil
    void fa_store(int *, int) noexcept nogil
    ctypedef struct fa_signals:
        pass
    void fa_block_signals(fa_signals *) noexcept nogil
    void fa_unblock_signals(const fa_signals *) noexcept nogil
    double fa_now() noexcept nogil
    ctypedef struct fenv_t:
        pass
    int fegetenv(fenv_t *) noexcept nogil
    int fesetenv(const fenv_t *) noexcept nogil

cdef extern from "pythread.h" nogil:
    # Locks that any thread may release.  None of these wants the GIL.
    ctypedef void *Lock "PyThread_type_lock"
    unsigned long PyThread_start_new_thread(void (*)(void *) noexcept, void *) noexcept
    unsigned long PYTHREAD_INVALID_THREAD_ID
    Lock PyThread_allocate_lock() noexcept
    int try_acquire "PyThread_acquire_lock"(Lock, int) noexcept
    void acquire "PyThread_acquire_lock"(Lock, int) noexcept
    void release "PyThread_release_lock"(Lock) noexcept
    enum:
        WAIT_LOCK
        NOWAIT_LOCK

cdef enum:
    MOST = 1024  # threads (as in _threads.py, which sees to it)
    SPIN = 20_000  # ns that a caller looks whether helpers are done before it sleeps

cdef struct Pool:
    Lock guard  # of what follows
    int callers  # threads in spread()
    int helpers  # helpers at work (a caller looks at it without the guard, too)
    bint taken  # by one of the callers, who is waiting for ``done`` if ``waiting``
    bint waiting
    Lock done
    # Its work.
    part_t part
    void *work
    Py_ssize_t next, n, grain, divide
    int limit
    fenv_t environment
    long long helped  # parts that helpers have done, ever
    # Helpers: only who has taken the pool looks at them.
    int started
    Lock wake[MOST]

cdef Pool pool
# A helper is woken where it finds so much to do.  (Waking one takes 7 us of the
# caller's time, and it is there after 20 us, on a virtual machine.)
cdef double least_ns = 50_000


cdef Lock new_lock() except NULL:
    """A lock that is held."""
    cdef Lock lock = PyThread_allocate_lock()
    if lock == NULL:
        raise MemoryError
    acquire(lock, WAIT_LOCK)
    return lock


def _reset():
    """An empty pool: at the start, and in a forked child, which has no helpers."""
    pool.guard = new_lock()
    pool.done = new_lock()
    pool.callers = pool.helpers = pool.started = 0
    pool.taken = pool.waiting = False
    pool.next = pool.n = 0
    release(pool.guard)


_reset()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset)


cdef inline bint take_part() noexcept nogil:
    """Do the next part; False if there was none.  ``guard`` is held."""
    cdef Py_ssize_t start = pool.next, stop
    cdef part_t part = pool.part
    cdef void *work = pool.work
    if start == pool.n:
        return False
    # Large parts first, small ones at last: all are done at about the same time.
    # (Multiples of ``grain`` keep vectors and pages whole.)
    stop = start + (pool.n - start + pool.divide - 1) // pool.divide
    pool.next = stop = min(pool.n, stop + pool.grain - stop % pool.grain)
    release(pool.guard)
    part(work, start, stop)
    acquire(pool.guard, WAIT_LOCK)
    return True


cdef void help_out(void *wake) noexcept nogil:
    """The life of a helper."""
    acquire(pool.guard, WAIT_LOCK)
    while True:
        fa_store(&pool.helpers, pool.helpers + 1)
        if pool.next != pool.n:
            # The caller's rounding and treatment of subnormals, whatever they are.
            fesetenv(&pool.environment)
        while pool.callers + pool.helpers <= pool.limit and take_part():
            pool.helped += 1
        fa_store(&pool.helpers, pool.helpers - 1)
        if pool.waiting and pool.helpers == 0:
            pool.waiting = False
            release(pool.done)
        release(pool.guard)
        acquire(<Lock>wake, WAIT_LOCK)
        acquire(pool.guard, WAIT_LOCK)


cdef bint start_helper() noexcept nogil:
    cdef Lock wake = PyThread_allocate_lock()
    cdef fa_signals signals
    cdef bint started
    if wake == NULL:
        return False
    acquire(wake, WAIT_LOCK)
    pool.wake[pool.started] = wake
    # A thread starts with the signals blocked that its maker has blocked.
    fa_block_signals(&signals)
    started = PyThread_start_new_thread(help_out, wake) != PYTHREAD_INVALID_THREAD_ID
    fa_unblock_signals(&signals)
    if started:
        pool.started += 1
    return started


cdef inline int threads() noexcept nogil:
    return fa_here if fa_here else fa_load(&fa_everywhere)


cdef void spread(part_t part, void *work, Py_ssize_t n, Py_ssize_t first) noexcept nogil:
    """part(work, start, stop) over all of [0, n), by several threads if that pays.

    The first ``first`` of n are done here, and the time that they take says whether
    it does: functions, instruction sets and machines are far apart, and so is memory
    from cache.
    """
    cdef int limit = threads(), i, wanted
    cdef double start
    if limit == 1 or n < 2 * first:
        part(work, 0, n)
        return
    start = fa_now()
    part(work, 0, first)
    wanted = <int>min(
        (fa_now() - start) * (n - first) / (first * least_ns + 1), <double>(limit - 1)
    )
    if wanted < 1:
        part(work, first, n)
        return
    acquire(pool.guard, WAIT_LOCK)
    pool.callers += 1
    wanted = min(wanted, limit - pool.callers)
    if pool.taken or wanted < 1:
        release(pool.guard)
        part(work, first, n)
        acquire(pool.guard, WAIT_LOCK)
        pool.callers -= 1
        release(pool.guard)
        return
    pool.taken = True
    pool.part, pool.work, pool.next, pool.n = part, work, first, n
    pool.grain, pool.divide, pool.limit = first, 2 * (wanted + 1), limit
    fegetenv(&pool.environment)
    release(pool.guard)
    for i in range(wanted):
        if i < pool.started:
            # (held, if a wake-up that was not needed has left it free)
            try_acquire(pool.wake[i], NOWAIT_LOCK)
            release(pool.wake[i])
        elif not start_helper():
            break
    acquire(pool.guard, WAIT_LOCK)
    while take_part():
        pass
    if pool.helpers:
        # The last parts are done at about the same time: to go to sleep takes longer.
        release(pool.guard)
        start = fa_now()
        while fa_load(&pool.helpers) and fa_now() - start < SPIN:
            pass
        acquire(pool.guard, WAIT_LOCK)
    if pool.helpers:
        pool.waiting = True
        release(pool.guard)
        acquire(pool.done, WAIT_LOCK)
        acquire(pool.guard, WAIT_LOCK)
    pool.taken = False
    pool.callers -= 1
    release(pool.guard)


def get_threads():
    """The number of threads for calls from this thread."""
    return threads()


def set_threads(int n):
    """The number of threads for the process."""
    fa_store(&fa_everywhere, n)


def limit_here(int n):
    """The number of threads for this thread, 0 for that of the process; returns the
    one that was."""
    global fa_here
    cdef int before = fa_here
    fa_here = n
    return before


def set_least(double ns):
    """What a helper must find to do, in ns; returns what it was: for the tests."""
    global least_ns
    cdef double before = least_ns
    least_ns = ns
    return before


def helped():
    """How many parts helpers have done: for the tests."""
    return pool.helped
