r"""Expressions of the registry as LaTeX.

>>> print(latex("x if abs(x) > lambd else -2.5 * x * tanh(x)**2"))
\begin{cases} x & \text{if } \left\lvert x \right\rvert > \text{lambd} \\
    -2.5x\,\tanh^{2}(x) & \text{otherwise} \end{cases}
>>> print(latex("a - (b - c) - exp(-(x**2) / 2) / sqrt(2 * pi)"))
a - (b - c) - \frac{e^{-x^{2}/2}}{\sqrt{2\pi}}
>>> print(latex("y_i * (g_i - sum_j(g_j * y_j))"), latex("2 * value * silu_d(gate)"))
y_i\,(g_i - \sum_j g_j\,y_j) 2\text{value}\,\operatorname{silu}'(\text{gate})
>>> latex("x // 2")
Traceback (most recent call last):
    ...
ValueError: no LaTeX for ... in 'x // 2'
>>> print(latex("x * erfc(-x / sqrt(2)) / 2"))
\frac{x\,\operatorname{erfc}\left(-\frac{x}{\sqrt{2}}\right)}{2}
"""

from __future__ import annotations

import ast
import re

COMPARE = {
    ast.Lt: "<", ast.Gt: ">", ast.LtE: r"\le", ast.GtE: r"\ge", ast.NotEq: r"\ne",
    ast.Eq: "=",
}
GREEK = {"alpha", "beta", "pi"}
FUNCTIONS = {"tanh": r"\tanh", "log": r"\log"}

# How tightly a piece holds together: what stands in a tighter place gets parentheses.
SUM, PRODUCT, SIGNED, ATOM = range(4)


def parentheses(text: str) -> str:
    """In parentheses, that grow if there is a fraction in them."""
    return rf"\left({text}\right)" if r"\frac" in text else f"({text})"


class _Latex(ast.NodeVisitor):
    """Each visit gives (text, how tightly it holds together)."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.small = 0  # where fractions take a slash

    def put(self, node, least: int) -> str:
        text, holds = self.visit(node)
        return text if holds >= least else parentheses(text)

    def generic_visit(self, node):
        raise ValueError(f"no LaTeX for {ast.dump(node)} in {self.source!r}")

    def visit_Expression(self, node):
        return self.visit(node.body)

    def visit_Constant(self, node):
        return ast.get_source_segment(self.source, node), ATOM

    def visit_Name(self, node):
        name = node.id
        if name in GREEK:
            return "\\" + name, ATOM
        if len(name) == 1 or re.fullmatch("[a-z]_[a-z]", name):
            return name, ATOM
        return rf"\text{{{name}}}", ATOM

    def visit_UnaryOp(self, node):
        if not isinstance(node.op, ast.USub):
            return self.generic_visit(node)
        return "-" + self.put(node.operand, PRODUCT), SIGNED

    def visit_BinOp(self, node):
        left, right = node.left, node.right
        if isinstance(node.op, (ast.Add, ast.Sub)):
            sign = "+" if isinstance(node.op, ast.Add) else "-"
            least = SUM if sign == "+" else PRODUCT
            return f"{self.put(left, SUM)} {sign} {self.put(right, least)}", SUM
        if isinstance(node.op, ast.Mult):
            signed = isinstance(right, ast.UnaryOp)
            a, b = self.put(left, PRODUCT), self.put(right, ATOM if signed else PRODUCT)
            if b[0].isdigit():
                between = r" \cdot "
            else:
                between = "" if re.fullmatch(r"-?[\d.]+", a) else r"\,"
            return a + between + b, PRODUCT
        if isinstance(node.op, ast.Div):
            if isinstance(left, ast.UnaryOp):  # the sign before the fraction
                positive = ast.BinOp(left.operand, node.op, right)
                return "-" + self.visit_BinOp(positive)[0], SIGNED
            if self.small:
                return f"{self.put(left, PRODUCT)}/{self.put(right, ATOM)}", PRODUCT
            return rf"\frac{{{self.put(left, SUM)}}}{{{self.put(right, SUM)}}}", PRODUCT
        if isinstance(node.op, ast.Pow):
            exponent = self.exponent(right)
            if isinstance(left, ast.Call) and left.func.id == "tanh":
                return self.call(left, exponent), PRODUCT
            return f"{self.put(left, ATOM)}^{{{exponent}}}", ATOM
        return self.generic_visit(node)

    def exponent(self, node) -> str:
        """What has no room for fractions: an exponent, or under a root."""
        self.small += 1
        text = self.put(node, SUM)
        self.small -= 1
        return text

    def visit_Call(self, node):
        name = node.func.id
        if name == "exp":
            return f"e^{{{self.exponent(node.args[0])}}}", PRODUCT
        if name == "sqrt":
            return rf"\sqrt{{{self.exponent(node.args[0])}}}", ATOM
        if name == "abs":
            return rf"\left\lvert {self.put(node.args[0], SUM)} \right\rvert", ATOM
        if name == "sum_j":
            return rf"\sum_j {self.put(node.args[0], PRODUCT)}", PRODUCT
        return self.call(node), ATOM

    def call(self, node, exponent: str = "") -> str:
        name, prime = re.fullmatch(r"(\w+?)(_d)?", node.func.id).groups()
        function = FUNCTIONS.get(name, rf"\operatorname{{{name}}}")
        function += "'" if prime else f"^{{{exponent}}}" if exponent else ""
        arguments = ", ".join(self.put(a, SUM) for a in node.args)
        return function + parentheses(arguments)

    def visit_Compare(self, node):
        text = self.put(node.left, SUM)
        for op, right in zip(node.ops, node.comparators, strict=True):
            text += f" {COMPARE[type(op)]} {self.put(right, SUM)}"
        return text, SUM

    def visit_IfExp(self, node):
        lines = []
        while isinstance(node, ast.IfExp):
            condition = self.put(node.test, SUM)
            lines.append(rf"{self.put(node.body, SUM)} & \text{{if }} {condition}")
            node = node.orelse
        lines.append(rf"{self.put(node, SUM)} & \text{{otherwise}}")
        return r"\begin{cases} " + r" \\ ".join(lines) + r" \end{cases}", ATOM


def latex(expression: str) -> str:
    """One expression, without what it abbreviates."""
    return _Latex(expression).visit(ast.parse(expression, mode="eval"))[0]


def equations(left: str, text: str) -> list[str]:
    """``left`` = a registry text, and an equation for each of its abbreviations."""
    first, *wheres = (part.strip() for part in text.split(";"))
    found = [f"{left} = {latex(first)}"]
    for where in wheres:
        name, _, expression = where.partition(" = ")
        found.append(f"{latex(name)} = {latex(expression)}")
    return found
