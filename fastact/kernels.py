"""Stands in for the compiled ``fastact.kernels`` where that was not built.

(Python prefers an extension module to a source file of the same name.)
"""

raise ImportError(
    "fastact.kernels is part of the compiled extension, which is not installed: "
    "build it with a C compiler, FASTACT_BUILD=required pip install ."
)
