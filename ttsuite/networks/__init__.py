"""Layers of neural networks with few numbers, for PyTorch: ``pip install ttsuite[networks]``.

Nothing else of ttsuite needs torch, and ``import ttsuite`` does not import this package.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("ttsuite.networks needs PyTorch: pip install ttsuite[networks]") from error

from ttsuite.networks.compression import Compression as Compression
from ttsuite.networks.compression import LayerCompression as LayerCompression
from ttsuite.networks.compression import compress as compress
from ttsuite.networks.convolutions import CPConv2d as CPConv2d
from ttsuite.networks.convolutions import TTConv2d as TTConv2d
from ttsuite.networks.convolutions import Tucker2Conv2d as Tucker2Conv2d
from ttsuite.networks.jacobian import JacobianOperator as JacobianOperator
from ttsuite.networks.tt_linear import TTLinear as TTLinear
