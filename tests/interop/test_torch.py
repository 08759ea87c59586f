"""PyTorch: tensors in NumPy's place, and fastact.torch with gradients."""

import numpy as np
import pytest
from cases import same_bits
from containers import ALONG_AXIS, ELEMENTWISE, ELEMENTWISE_IDS, GATES, name_of

import fastact as fa
from fastact import _registry

torch = pytest.importorskip("torch")
ft = pytest.importorskip("fastact.torch")

DTYPES = [torch.float16, torch.float32, torch.float64]


def data(*shape, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    return (3 * torch.randn(shape, dtype=torch.float64)).to(dtype)


def check(got, expected):
    assert isinstance(got, torch.Tensor)
    assert same_bits(got.detach().numpy(), expected)


# --- tensors as input of fastact itself ---

@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("activation", "options"), ELEMENTWISE, ids=ELEMENTWISE_IDS)
def test_tensors_in_tensors_out(activation, options, dtype):
    x, g = data(5, 8, dtype=dtype), data(5, 8, dtype=dtype, seed=1)
    for t in (x, x.T, x[:, ::2], x[0, 0]):
        for form in ("__call__", "derivative"):
            f = getattr(activation, form)
            check(f(t, **options), f(t.numpy(), **options))
        y, d = activation.value_and_derivative(t, **options)
        check(y, activation(t.numpy(), **options))
        check(d, activation.derivative(t.numpy(), **options))
    check(activation.backward(g, x, **options),
          activation.backward(g.numpy(), x.numpy(), **options))


@pytest.mark.parametrize("function", ALONG_AXIS, ids=name_of)
def test_along_axis(function):
    x = data(5, 8, dtype=torch.float32)
    y = function(x.numpy(), 0)
    check(function(x, 0), y)
    check(function.backward(function(x, 0), x, 0), function.backward(y, x.numpy(), 0))


@pytest.mark.parametrize("unit", GATES, ids=name_of)
def test_gates(unit):
    x = data(5, 8)
    y, (da, db) = unit.value_and_derivative(x, x)
    expected = unit.derivative(x.numpy(), x.numpy())
    check(y, unit(x.numpy(), x.numpy()))
    check(da, expected[0])
    check(db, expected[1])
    check(unit.backward(x[:, :4], x), unit.backward(x.numpy()[:, :4], x.numpy()))


def test_bfloat16_is_computed_in_float32():
    x = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
    w = data(1, dtype=torch.bfloat16)
    for got, expected in (
        (fa.gelu(x), fa.gelu(x.float())),
        (fa.leaky_relu(x, negative_slope=0.2), fa.leaky_relu(x.float(), negative_slope=0.2)),
        (fa.silu.backward(x, x), fa.silu.backward(x.float(), x.float())),
        (fa.softmax(x[:100]), fa.softmax(x[:100].float())),
        (fa.prelu.backward(x[:9], x[:9], w)[1],
         fa.prelu.backward(x[:9].float(), x[:9].float(), w.float())[1]),
    ):
        assert got.dtype == torch.bfloat16
        assert torch.equal(got.nan_to_num(), expected.to(torch.bfloat16).nan_to_num())
        assert torch.equal(got.isnan(), expected.isnan())
    assert fa.gelu(x[:9], dtype=np.float64).dtype == torch.float64
    assert fa.silu.backward(x.float(), x).dtype == torch.float32


def test_numpy_rules_hold():
    assert fa.sigmoid(torch.arange(3)).dtype == torch.float64
    assert fa.sigmoid(torch.ones(3, dtype=torch.int8)).dtype == torch.float16
    x = data(4)
    out = np.empty(4)
    assert fa.sigmoid(x, out=out) is out
    assert same_bits(out, fa.sigmoid(x.numpy()))
    check(fa.silu.backward(np.ones(4), x), fa.silu_d(x.numpy()))


def test_views_with_pending_operations():
    x = torch.complex(data(4), data(4, seed=1)).conj().imag
    assert x.is_neg()
    check(fa.tanh(x), fa.tanh(-data(4, seed=1).numpy()))


def test_what_does_not_go():
    x = data(4).requires_grad_()
    calls = [
        lambda: fa.sigmoid(x), lambda: fa.sigmoid.value_and_derivative(x),
        lambda: fa.softmax(x), lambda: fa.glu(x), lambda: fa.prelu(x.detach(), x),
        lambda: fa.silu.backward(x, x.detach()), lambda: fa.glu.backward(x[:2], x.detach()),
        lambda: fa.prelu.backward(x.detach(), x.detach(), x),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"requires grad.*fastact\.torch"):
            call()
        with torch.no_grad():
            assert call() is not None
    with pytest.raises(TypeError, match=r"fastact.sigmoid: x must be .* on the CPU.* meta"):
        fa.sigmoid(torch.zeros(3, device="meta"))
    with pytest.raises(TypeError, match="sparse"):
        fa.sigmoid(torch.eye(3).to_sparse())
    with pytest.raises(TypeError, match="complex"):
        fa.sigmoid(torch.zeros(3, dtype=torch.complex64))
    with pytest.raises(TypeError, match="out must be an array"):
        fa.sigmoid(data(3), out=data(3))


# --- fastact.torch ---

@pytest.mark.parametrize(("activation", "options"), [
    *ELEMENTWISE,
    *[(a, s) for a, _ in ELEMENTWISE for s in _registry.BY_NAME[a.__name__].samples],
])
def test_gradcheck(activation, options):
    """Numerical differentiation agrees (random points are far from kinks)."""
    f = getattr(ft, activation.__name__)
    x = data(4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: f(t, **options), [x])
    assert torch.autograd.gradcheck(lambda t: f(t.T[::2], **options), [x])


def test_gradcheck_variants():
    x = data(4, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: ft.gelu(t, approximate="tanh"), [x])
    assert torch.autograd.gradcheck(lambda t: ft.swish(t, beta=1.5), [x])
    assert torch.autograd.gradcheck(
        lambda t: ft.geglu(t, axis=0, approximate="tanh"), [x]
    )


@pytest.mark.parametrize("unit", GATES, ids=name_of)
def test_gradcheck_gates(unit):
    f = getattr(ft, unit.__name__)
    x, b = data(4, 6).requires_grad_(), data(6, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(f, [x])
    assert torch.autograd.gradcheck(f, [x, b])  # b broadcasts
    assert torch.autograd.gradcheck(f, [b, x])


@pytest.mark.parametrize("shape", [(), (6,), (4, 1)])
def test_gradcheck_prelu(shape):
    x, w = data(4, 6).requires_grad_(), data(*shape, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(ft.prelu, [x, w])


@pytest.mark.parametrize("axis", [0, -1, (0, 2), None])
@pytest.mark.parametrize("function", ALONG_AXIS, ids=name_of)
def test_gradcheck_along_axis(function, axis):
    f = getattr(ft, function.__name__)
    x = data(2, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: f(t, axis=axis), [x])
    if f is ft.logsumexp:
        assert torch.autograd.gradcheck(lambda t: f(t, axis=axis, keepdims=True), [x])


@pytest.mark.parametrize("dtype", [*DTYPES, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("activation", "options"), ELEMENTWISE, ids=ELEMENTWISE_IDS)
def test_value_and_gradient_are_those_of_fastact(activation, options, dtype):
    x, g = data(5, 8, dtype=dtype).requires_grad_(), data(5, 8, dtype=dtype, seed=1)
    y = getattr(ft, activation.__name__)(x, **options)
    y.backward(g)
    with torch.no_grad():
        assert y.dtype == x.grad.dtype == dtype
        assert torch.equal(y, activation(x, **options))
        assert torch.equal(x.grad, activation.backward(g, x, **options))


def test_every_activation_is_there():
    assert {*fa.ACTIVATIONS} < {*ft.__all__}
    for name in ft.__all__:
        assert getattr(ft, name).__name__ == ("silu" if name == "swish" else name)


def test_the_input_is_saved_not_copied():
    x = data(5, 8).requires_grad_()
    (saved,) = ft.gelu(x).grad_fn.saved_tensors
    assert saved.data_ptr() == x.data_ptr()
    y = ft.gelu(x)
    with torch.no_grad():
        x += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_no_second_derivative():
    """An error, whether or not the outer gradient needs one, never a silent zero."""
    x = data(4).requires_grad_()
    for g in (torch.ones(4, dtype=torch.float64), data(4, seed=1).requires_grad_()):
        (first,) = torch.autograd.grad(ft.tanh(x), x, g, create_graph=True)
        with pytest.raises(NotImplementedError, match=r"fastact\.torch\.tanh has no second"):
            (first**2).sum().backward()


def test_a_network_trains():
    torch.manual_seed(0)
    x = torch.randn(200, 2)
    target = (x.norm(dim=1, keepdim=True) < 1).float()
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 16), ft.Activation("gelu", approximate="tanh"),
        torch.nn.Linear(16, 1), ft.Activation("sigmoid"),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(100):
        loss = ((model(x) - target) ** 2).mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0] / 3
    assert "gelu, approximate='tanh'" in repr(model)


def test_errors():
    x = data(4)
    slope = torch.tensor(0.1, requires_grad=True)
    for call, text in (
        (lambda: ft.sigmoid(x.numpy()), "input 0 must be a tensor, got ndarray"),
        (lambda: ft.leaky_relu(x, 0.2), "input 1 must be a tensor.*by keyword"),
        (lambda: ft.sigmoid(torch.arange(3)), "tensor of floats, got torch.int64"),
        (lambda: ft.sigmoid(x.to(torch.complex128)), "tensor of floats"),
        (lambda: ft.sigmoid(x.to("meta")), "on the CPU, got one on meta"),
        (lambda: ft.leaky_relu(x, negative_slope=slope), "gradients reach the inputs only"),
        (lambda: ft.sigmoid(x, out=x), "takes no out"),
        (lambda: ft.sigmoid(x, slope=1), "unknown keyword 'slope'"),
    ):
        with pytest.raises(TypeError, match=text):
            call()
    with pytest.raises(ValueError, match="negative_slope must be a finite number"):
        ft.leaky_relu(x, negative_slope=float("inf"))
    with pytest.raises(ValueError, match=r"name must be one of .*, got 'gleu'"):
        ft.Activation("gleu")
