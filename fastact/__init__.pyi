"""Types of the public names; what they do is in ``fastact/_registry.py``.

The classes exist for type checkers only: name them under ``TYPE_CHECKING``.
Float arrays alone give arrays of their dtype; a call with scalars, lists, other
containers or any keyword is Any, as a ufunc is in NumPy's own stubs.  Keywords
are checked everywhere: each decorated function below lists those of its
activation, and its decorator makes the activation of them.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import (
    Any,
    Final,
    Literal,
    ParamSpec,
    Protocol,
    SupportsIndex,
    TypeAlias,
    TypedDict,
    TypeVar,
    overload,
    type_check_only,
)

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from typing_extensions import Unpack

__all__ = [
    "ACTIVATIONS",
    "__version__",
    "celu",
    "celu_d",
    "elu",
    "elu_d",
    "geglu",
    "geglu_d",
    "gelu",
    "gelu_d",
    "get_config",
    "glu",
    "glu_d",
    "hard_shrink",
    "hard_shrink_d",
    "hard_sigmoid",
    "hard_sigmoid_d",
    "hard_swish",
    "hard_swish_d",
    "hard_tanh",
    "hard_tanh_d",
    "leaky_relu",
    "leaky_relu_d",
    "log_sigmoid",
    "log_sigmoid_d",
    "log_softmax",
    "logsumexp",
    "logsumexp_d",
    "mish",
    "mish_d",
    "prelu",
    "prelu_d",
    "quick_gelu",
    "quick_gelu_d",
    "reglu",
    "reglu_d",
    "relu",
    "relu6",
    "relu6_d",
    "relu_d",
    "relu_squared",
    "relu_squared_d",
    "selu",
    "selu_d",
    "show_config",
    "sigmoid",
    "sigmoid_d",
    "silu",
    "silu_d",
    "soft_shrink",
    "soft_shrink_d",
    "softmax",
    "softplus",
    "softplus_d",
    "softsign",
    "softsign_d",
    "squareplus",
    "squareplus_d",
    "swiglu",
    "swiglu_d",
    "swish",
    "swish_d",
    "tanh",
    "tanh_d",
    "tanh_shrink",
    "tanh_shrink_d",
    "threshold",
    "threshold_d",
]

_P = ParamSpec("_P")
_F = TypeVar("_F", bound=np.float16 | np.float32 | np.float64)
_Array: TypeAlias = np.ndarray[Any, Any]
_Out: TypeAlias = _Array | tuple[_Array | None, ...] | None
_Axis: TypeAlias = SupportsIndex | tuple[SupportsIndex, ...] | None

@type_check_only
class _Keywords(TypedDict, total=False):
    dtype: DTypeLike | None
    where: ArrayLike
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"]
    order: Literal["K", "A", "C", "F"]
    subok: bool

@type_check_only
class Activation(Protocol[_P]):
    """An elementwise activation: calling it gives the value."""

    @property
    def __name__(self) -> str: ...
    @property
    def defaults(self) -> dict[str, Any]: ...
    @property
    def ufunc(self) -> Any: ...
    @overload
    def __call__(self, x: NDArray[_F], /) -> NDArray[_F]: ...
    @overload
    def __call__(self, x: ArrayLike, /, *args: _P.args, **kwargs: _P.kwargs) -> Any: ...
    @overload
    def derivative(self, x: NDArray[_F], /) -> NDArray[_F]: ...
    @overload
    def derivative(
        self, x: ArrayLike, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Any: ...
    @overload
    def value_and_derivative(
        self, x: NDArray[_F], /
    ) -> tuple[NDArray[_F], NDArray[_F]]: ...
    @overload
    def value_and_derivative(
        self, x: ArrayLike, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> tuple[Any, Any]: ...
    @overload
    def backward(self, g: NDArray[_F], x: NDArray[_F], /) -> NDArray[_F]: ...
    @overload
    def backward(
        self, g: ArrayLike, x: ArrayLike, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Any: ...

@type_check_only
class ActivationFromOutput(Activation[_P], Protocol[_P]):
    """One whose derivative is a function of its output."""

    @overload
    def backward_from_output(
        self, g: NDArray[_F], y: NDArray[_F], /
    ) -> NDArray[_F]: ...
    @overload
    def backward_from_output(
        self, g: ArrayLike, y: ArrayLike, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Any: ...

@type_check_only
class Threshold(Protocol):
    """An activation with parameters that have no default."""

    @property
    def __name__(self) -> str: ...
    @property
    def defaults(self) -> dict[str, Any]: ...
    @property
    def ufunc(self) -> Any: ...
    @overload
    def __call__(
        self,
        x: NDArray[_F],
        /,
        *,
        threshold: ArrayLike,
        value: ArrayLike,
    ) -> NDArray[_F]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        /,
        out: _Out = None,
        *,
        threshold: ArrayLike,
        value: ArrayLike,
        **kwargs: Unpack[_Keywords],
    ) -> Any: ...
    @overload
    def derivative(
        self,
        x: NDArray[_F],
        /,
        *,
        threshold: ArrayLike,
        value: ArrayLike,
    ) -> NDArray[_F]: ...
    @overload
    def derivative(
        self,
        x: ArrayLike,
        /,
        out: _Out = None,
        *,
        threshold: ArrayLike,
        value: ArrayLike,
        **kwargs: Unpack[_Keywords],
    ) -> Any: ...
    @overload
    def value_and_derivative(
        self,
        x: NDArray[_F],
        /,
        *,
        threshold: ArrayLike,
        value: ArrayLike,
    ) -> tuple[NDArray[_F], NDArray[_F]]: ...
    @overload
    def value_and_derivative(
        self,
        x: ArrayLike,
        /,
        out: _Out = None,
        *,
        threshold: ArrayLike,
        value: ArrayLike,
        **kwargs: Unpack[_Keywords],
    ) -> tuple[Any, Any]: ...
    @overload
    def backward(
        self,
        g: NDArray[_F],
        x: NDArray[_F],
        /,
        *,
        threshold: ArrayLike,
        value: ArrayLike,
    ) -> NDArray[_F]: ...
    @overload
    def backward(
        self,
        g: ArrayLike,
        x: ArrayLike,
        /,
        out: _Out = None,
        *,
        threshold: ArrayLike,
        value: ArrayLike,
        **kwargs: Unpack[_Keywords],
    ) -> Any: ...

@type_check_only
class PReLU(Protocol):
    """leaky_relu whose slope is an array, with a gradient of its own."""

    @property
    def __name__(self) -> str: ...
    @overload
    def __call__(self, x: NDArray[_F], weight: NDArray[_F], /) -> NDArray[_F]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        weight: ArrayLike,
        /,
        out: _Out = None,
        **kwargs: Unpack[_Keywords],
    ) -> Any: ...
    @overload
    def derivative(self, x: NDArray[_F], weight: NDArray[_F], /) -> NDArray[_F]: ...
    @overload
    def derivative(
        self,
        x: ArrayLike,
        weight: ArrayLike,
        /,
        out: _Out = None,
        **kwargs: Unpack[_Keywords],
    ) -> Any: ...
    @overload
    def value_and_derivative(
        self, x: NDArray[_F], weight: NDArray[_F], /
    ) -> tuple[NDArray[_F], NDArray[_F]]: ...
    @overload
    def value_and_derivative(
        self,
        x: ArrayLike,
        weight: ArrayLike,
        /,
        out: _Out = None,
        **kwargs: Unpack[_Keywords],
    ) -> tuple[Any, Any]: ...
    @overload
    def backward(
        self, g: NDArray[_F], x: NDArray[_F], weight: NDArray[_F], /
    ) -> tuple[NDArray[_F], NDArray[_F]]: ...
    @overload
    def backward(
        self,
        g: ArrayLike,
        x: ArrayLike,
        weight: ArrayLike,
        /,
        *,
        out: _Out = None,
        **kwargs: Unpack[_Keywords],
    ) -> tuple[Any, Any]: ...

@type_check_only
class GatedUnit(Protocol[_P]):
    """value * f(gate): ``unit(x, axis=-1)`` or ``unit(value, gate)``."""

    @property
    def __name__(self) -> str: ...
    @property
    def defaults(self) -> dict[str, Any]: ...
    @overload
    def __call__(self, x: NDArray[_F], /) -> NDArray[_F]: ...
    @overload
    def __call__(self, value: NDArray[_F], gate: NDArray[_F], /) -> NDArray[_F]: ...
    @overload
    def __call__(
        self, x: ArrayLike, gate: None = None, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Any: ...
    @overload
    def __call__(
        self, value: ArrayLike, gate: ArrayLike, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Any: ...
    @overload
    def derivative(self, x: NDArray[_F], /) -> NDArray[_F]: ...
    @overload
    def derivative(
        self, value: NDArray[_F], gate: NDArray[_F], /
    ) -> tuple[NDArray[_F], NDArray[_F]]: ...
    @overload
    def derivative(
        self, x: ArrayLike, gate: None = None, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Any: ...
    @overload
    def derivative(
        self, value: ArrayLike, gate: ArrayLike, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> tuple[Any, Any]: ...
    @overload
    def value_and_derivative(
        self, x: NDArray[_F], /
    ) -> tuple[NDArray[_F], NDArray[_F]]: ...
    @overload
    def value_and_derivative(
        self, value: NDArray[_F], gate: NDArray[_F], /
    ) -> tuple[NDArray[_F], tuple[NDArray[_F], NDArray[_F]]]: ...
    @overload
    def value_and_derivative(
        self, x: ArrayLike, gate: None = None, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> tuple[Any, Any]: ...
    @overload
    def value_and_derivative(
        self, value: ArrayLike, gate: ArrayLike, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> tuple[Any, tuple[Any, Any]]: ...
    @overload
    def backward(self, g: NDArray[_F], x: NDArray[_F], /) -> NDArray[_F]: ...
    @overload
    def backward(
        self, g: NDArray[_F], value: NDArray[_F], gate: NDArray[_F], /
    ) -> tuple[NDArray[_F], NDArray[_F]]: ...
    @overload
    def backward(
        self,
        g: ArrayLike,
        x: ArrayLike,
        gate: None = None,
        /,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Any: ...
    @overload
    def backward(
        self,
        g: ArrayLike,
        value: ArrayLike,
        gate: ArrayLike,
        /,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> tuple[Any, Any]: ...

@type_check_only
class AxisMap(Protocol):
    """A function of all the elements along an axis, shaped like its input."""

    @property
    def __name__(self) -> str: ...
    @overload
    def __call__(self, x: NDArray[_F], /, axis: _Axis = -1) -> NDArray[_F]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        /,
        axis: _Axis = -1,
        *,
        out: _Array | None = None,
        dtype: DTypeLike | None = None,
    ) -> Any: ...
    def backward(
        self,
        g: ArrayLike,
        x: ArrayLike,
        /,
        axis: _Axis = -1,
        *,
        out: _Array | None = None,
        dtype: DTypeLike | None = None,
    ) -> Any: ...
    def backward_from_output(
        self,
        g: ArrayLike,
        y: ArrayLike,
        /,
        axis: _Axis = -1,
        *,
        out: _Array | None = None,
        dtype: DTypeLike | None = None,
    ) -> Any: ...

@type_check_only
class AxisReduction(Protocol):
    """A function that reduces an axis."""

    @property
    def __name__(self) -> str: ...
    def __call__(
        self,
        x: ArrayLike,
        /,
        axis: _Axis = -1,
        *,
        out: _Array | None = None,
        dtype: DTypeLike | None = None,
        keepdims: bool = False,
    ) -> Any: ...
    @overload
    def derivative(self, x: NDArray[_F], /, axis: _Axis = -1) -> NDArray[_F]: ...
    @overload
    def derivative(
        self,
        x: ArrayLike,
        /,
        axis: _Axis = -1,
        *,
        out: _Array | None = None,
        dtype: DTypeLike | None = None,
    ) -> Any: ...
    @overload
    def value_and_derivative(
        self, x: NDArray[_F], /, axis: _Axis = -1
    ) -> tuple[Any, NDArray[_F]]: ...
    @overload
    def value_and_derivative(
        self,
        x: ArrayLike,
        /,
        axis: _Axis = -1,
        *,
        dtype: DTypeLike | None = None,
    ) -> tuple[Any, Any]: ...
    def backward(
        self,
        g: ArrayLike,
        x: ArrayLike,
        /,
        axis: _Axis = -1,
        *,
        out: _Array | None = None,
        dtype: DTypeLike | None = None,
    ) -> Any: ...

def _activation(keywords: Callable[_P, None], /) -> Activation[_P]: ...
def _from_output(keywords: Callable[_P, None], /) -> ActivationFromOutput[_P]: ...
def _gated(keywords: Callable[_P, None], /) -> GatedUnit[_P]: ...
@_from_output
def sigmoid(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def log_sigmoid(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def tanh(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def relu(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def relu6(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def leaky_relu(
    out: _Out = None, *, negative_slope: ArrayLike = 0.01, **kwargs: Unpack[_Keywords]
) -> None: ...
@_from_output
def elu(
    out: _Out = None, *, alpha: ArrayLike = 1.0, **kwargs: Unpack[_Keywords]
) -> None: ...
@_from_output
def celu(
    out: _Out = None, *, alpha: ArrayLike = 1.0, **kwargs: Unpack[_Keywords]
) -> None: ...
@_from_output
def selu(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_activation
def gelu(
    out: _Out = None,
    *,
    approximate: Literal["none", "tanh"] = "none",
    **kwargs: Unpack[_Keywords],
) -> None: ...
@_activation
def quick_gelu(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_activation
def silu(
    out: _Out = None, *, beta: ArrayLike = 1.0, **kwargs: Unpack[_Keywords]
) -> None: ...
@_activation
def mish(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def softplus(
    out: _Out = None, *, beta: ArrayLike = 1.0, **kwargs: Unpack[_Keywords]
) -> None: ...
@_from_output
def softsign(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def squareplus(
    out: _Out = None, *, b: ArrayLike = 4.0, **kwargs: Unpack[_Keywords]
) -> None: ...
@_from_output
def hard_sigmoid(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def hard_tanh(
    out: _Out = None,
    *,
    min_val: ArrayLike = -1.0,
    max_val: ArrayLike = 1.0,
    **kwargs: Unpack[_Keywords],
) -> None: ...
@_activation
def hard_swish(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def hard_shrink(
    out: _Out = None, *, lambd: ArrayLike = 0.5, **kwargs: Unpack[_Keywords]
) -> None: ...
@_from_output
def soft_shrink(
    out: _Out = None, *, lambd: ArrayLike = 0.5, **kwargs: Unpack[_Keywords]
) -> None: ...
@_activation
def tanh_shrink(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_from_output
def relu_squared(out: _Out = None, **kwargs: Unpack[_Keywords]) -> None: ...
@_gated
def glu(
    axis: SupportsIndex = -1, *, out: _Out = None, **kwargs: Unpack[_Keywords]
) -> None: ...
@_gated
def swiglu(
    axis: SupportsIndex = -1, *, out: _Out = None, **kwargs: Unpack[_Keywords]
) -> None: ...
@_gated
def geglu(
    axis: SupportsIndex = -1,
    *,
    out: _Out = None,
    approximate: Literal["none", "tanh"] = "none",
    **kwargs: Unpack[_Keywords],
) -> None: ...
@_gated
def reglu(
    axis: SupportsIndex = -1, *, out: _Out = None, **kwargs: Unpack[_Keywords]
) -> None: ...

threshold: Final[Threshold]
prelu: Final[PReLU]
softmax: Final[AxisMap]
log_softmax: Final[AxisMap]
logsumexp: Final[AxisReduction]
swish = silu

sigmoid_d = sigmoid.derivative
log_sigmoid_d = log_sigmoid.derivative
tanh_d = tanh.derivative
relu_d = relu.derivative
relu6_d = relu6.derivative
leaky_relu_d = leaky_relu.derivative
elu_d = elu.derivative
celu_d = celu.derivative
selu_d = selu.derivative
gelu_d = gelu.derivative
quick_gelu_d = quick_gelu.derivative
silu_d = silu.derivative
mish_d = mish.derivative
softplus_d = softplus.derivative
softsign_d = softsign.derivative
squareplus_d = squareplus.derivative
hard_sigmoid_d = hard_sigmoid.derivative
hard_tanh_d = hard_tanh.derivative
hard_swish_d = hard_swish.derivative
hard_shrink_d = hard_shrink.derivative
soft_shrink_d = soft_shrink.derivative
tanh_shrink_d = tanh_shrink.derivative
threshold_d = threshold.derivative
relu_squared_d = relu_squared.derivative
prelu_d = prelu.derivative
glu_d = glu.derivative
swiglu_d = swiglu.derivative
geglu_d = geglu.derivative
reglu_d = reglu.derivative
logsumexp_d = logsumexp.derivative
swish_d = swish.derivative

ACTIVATIONS: Final[MappingProxyType[str, Any]]
__version__: Final[str]

def get_config() -> dict[str, str]: ...
def show_config() -> None: ...
def __dir__() -> list[str]: ...
