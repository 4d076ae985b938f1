"""How many multiplications the products and convolutions of a graph take."""

import math

import tensorflow as tf


def needed(graph: tf.Graph) -> set[tf.Operation]:
    """What TensorFlow would run of a concrete function's graph: all that its outputs and effects depend on."""
    todo, found = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs), set()
    while todo:
        op = todo.pop()
        if op not in found:
            found.add(op)
            todo += [*(tensor.op for tensor in op.inputs), *op.control_inputs]
    return found


def of(op: tf.Operation) -> int:
    """Multiplications of a product of matrices, of a convolution or of one of its gradients; 0 for other operations.

    Each pixel that a convolution gives is a whole kernel's worth, at the border too.
    """
    if op.type in _PRODUCTS:
        inner = op.inputs[0].shape[-2 if op.get_attr(_PRODUCTS[op.type]) else -1]
        return math.prod(op.outputs[0].shape) * inner
    if op.type in _CONVOLUTIONS:
        give, kernel = _CONVOLUTIONS[op.type](op)
        return math.prod(give) * math.prod(kernel[:-1])
    if "Conv" in op.type or op.type == "Einsum":
        raise NotImplementedError(f"Multiplications of {op.type} are not counted")
    return 0


def of_graph(graph: tf.Graph) -> int:
    """Multiplications of one call; of a conditional those of the branch that has more, of a loop those of one pass."""
    return sum(of(op) + _inside(op, graph) for op in needed(graph))


def _inside(op, graph):
    """Those of the largest function that an operation calls."""
    attributes = op.node_def.attr.values()
    names = [func.name for value in attributes for func in (value.func, *value.list.func) if func.name]
    return max((of_graph(graph._get_function(name).graph) for name in names), default=0)


_PRODUCTS = {"MatMul": "transpose_a", "BatchMatMulV2": "adj_x"}
_CONVOLUTIONS = {  # shape of what the convolution gives, and of its kernel
    "Conv2D": lambda op: (op.outputs[0].shape, op.inputs[1].shape),
    "Conv2DBackpropInput": lambda op: (op.inputs[2].shape, op.inputs[1].shape),
    "Conv2DBackpropFilter": lambda op: (op.inputs[2].shape, op.outputs[0].shape),
}
