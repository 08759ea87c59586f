"""The activations as PyTorch functions on CPU tensors, with gradients.

>>> import torch, fastact.torch
>>> x = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
>>> fastact.torch.gelu(x, approximate="tanh").sum().backward()
>>> x.grad
tensor([-0.0830,  0.5000,  1.0830])

Every activation of fastact has a function here, of the same name and parameters.  The
forward pass is the activation on the memory of the tensor, the backward pass its
``backward`` from the saved input.  Gradients reach the array inputs (``x``; ``weight`` of
prelu; ``value`` and ``gate``), not the other parameters, and can be taken once: there is
no second derivative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import ACTIVATIONS
from ._checks import UFUNC_KEYWORDS
from ._extras import require
from ._registry import ALIASES

require("torch", "torch")
import torch  # noqa: E402

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


class _Apply(torch.autograd.Function):
    """Any activation: its forms take tensors as they are (see ``_containers.lift``)."""

    @staticmethod
    def forward(activation, options, *inputs):
        return activation(*inputs, **options)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.activation, options, *tensors = inputs
        # (the gradient has its shape with or without the axis that was summed)
        ctx.options = {k: v for k, v in options.items() if k != "keepdims"}
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx, g):
        grads = _Gradient.apply(ctx.activation, ctx.options, g, *ctx.saved_tensors)
        return None, None, *grads


class _Gradient(torch.autograd.Function):
    """The backward pass of ``_Apply``, where differentiation ends.

    (torch's ``once_differentiable`` notices only some second derivatives; of the others
    it makes zeros.)
    """

    @staticmethod
    def forward(activation, options, g, *inputs):
        found = activation.backward(g, *inputs, **options)
        found = found if isinstance(found, tuple) else (found,)
        # where an input was broadcast, the sum
        return tuple([d.sum_to_size(x.shape) for d, x in zip(found, inputs, strict=True)])

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.name = inputs[0].__name__

    @staticmethod
    def backward(ctx, *grads):
        raise NotImplementedError(
            f"fastact.torch.{ctx.name} has no second derivative: its gradient cannot be "
            "differentiated again"
        )


def _function(name: str):
    activation = ACTIVATIONS[name]
    where = f"fastact.torch.{name}"

    def function(*inputs: torch.Tensor, **options: Any) -> torch.Tensor:
        for i, value in enumerate(inputs):
            if not isinstance(value, torch.Tensor):
                raise TypeError(
                    f"{where}: input {i} must be a tensor, got {type(value).__name__}; "
                    "parameters go by keyword"
                )
            if not value.is_floating_point():
                raise TypeError(
                    f"{where}: input {i} must be a tensor of floats, got {value.dtype}"
                )
        for key, value in options.items():
            if key in UFUNC_KEYWORDS:
                raise TypeError(f"{where}: takes no {key}")
            if isinstance(value, torch.Tensor) and value.requires_grad:
                raise TypeError(
                    f"{where}: {key} requires grad, but gradients reach the inputs only"
                )
        return _Apply.apply(activation, options, *inputs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""``fastact.{name}`` of tensors, with gradients.

    Parameters
    ----------
    *inputs : Tensor
        The arrays that ``fastact.{name}`` takes: floats, on the CPU.
    **options
        Its parameters and axis, by keyword.

    Returns
    -------
    Tensor
        The value.
    """
    return function


_functions = {name: _function(name) for name in ACTIVATIONS}
_functions.update({alias: _functions[name] for alias, name in ALIASES.items()})
globals().update(_functions)


class Activation(torch.nn.Module):
    """An activation of fastact by name, as a module.

    Parameters
    ----------
    name : str
        A name in ``fastact.ACTIVATIONS``, or an alias.
    **options
        Its parameters: ``Activation("gelu", approximate="tanh")``.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__()
        if name not in _functions:
            raise ValueError(
                f"fastact.torch.Activation: name must be one of {', '.join(_functions)}, "
                f"got {name!r}"
            )
        self.name, self.options = name, options

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return _functions[self.name](*inputs, **self.options)

    def extra_repr(self) -> str:
        return ", ".join([self.name, *[f"{k}={v!r}" for k, v in self.options.items()]])


__all__ = ["Activation", *_functions]
