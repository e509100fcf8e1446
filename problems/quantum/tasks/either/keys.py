"""The solver keys of kind ``sum_of_products``: those of a spectrum or those of an evolution.

The two tasks have keys of their own, so that an entry which makes sense for neither is refused as elsewhere; what is
given tells which of the two models reads it, and ``complete`` compares that with the problem's task.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Protocol, get_args, get_origin

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    SerializerFunctionWrapHandler,
    Tag,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, AutomaticCount, Keys, WorkerCount
from problems.quantum.tasks.evolution.keys import InTime, WavePacketSolver
from problems.quantum.tasks.spectrum.keys import (
    N_STATES,
    UP_TO,
    WHICH,
    WINDOW,
    SpectrumSolver,
    Window,
    WithLevels,
    check_which,
    without_the_others,
)

EVOLUTION_ONLY = sorted(set(WavePacketSolver.model_fields) - {"accuracy", "method", "max_rank", "workers"})


class EitherProblem(WithLevels, InTime, Protocol):
    """A problem with levels and a motion."""


class GivenSpectrum(Keys):
    """How the lowest states are computed."""

    n_states: int | None = N_STATES
    up_to: float | None = UP_TO
    window: Window | None = WINDOW
    accuracy: float = Field(
        default=1e-6,
        gt=0,
        description="Error asked of every energy, in the unit of the terms; the default is times the largest"
        " coefficient where that is below one.",
    )
    method: Literal["automatic", "block_dmrg", "inverse_iteration"] = Field(
        default=AUTOMATIC,
        description="block_dmrg: one shared basis, for few states and for spins; inverse_iteration: a train a state.",
    )
    max_rank: AutomaticCount = Field(
        default=AUTOMATIC,
        description="Largest TT-rank of a state; automatic: as the accuracy needs.",
        json_schema_extra={"values": "automatic or a number"},
    )
    workers: WorkerCount = WORKERS

    @model_validator(mode="before")
    @classmethod
    def _one_task(cls, data: object) -> object:
        which = _asked(data)
        check_which(which)
        if isinstance(data, dict) and which:
            for name in EVOLUTION_ONLY:
                if name in data and name not in WHICH:
                    message = f"belongs to task: evolution, {which[0]} to task: spectrum: give the keys of one of them"
                    raise ProblemError(message, f"solver.{name}")
        return data

    @model_serializer(mode="wrap")
    def _only_what_is_asked(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Without the keys of ``WHICH`` that were not given."""
        return without_the_others(handler(self))

    @property
    def asked(self) -> SpectrumSolver:
        """The same as the keys of a spectrum, once it is known that a key of ``WHICH`` is there."""
        return SpectrumSolver(**self.model_dump())


def _asked(data: object) -> list[str]:
    """The keys given that say which states; a window that is a word is that of an autocorrelation."""
    if not isinstance(data, dict):
        return []
    return [name for name in WHICH if data.get(name) is not None and not isinstance(data[name], str)]


def _task(value: object) -> str:
    """Tag of the union below, by the keys that only an evolution has; tags are in parentheses."""
    if isinstance(value, WavePacketSolver):
        return "(evolution)"
    names = value if isinstance(value, dict) else {}
    spectrum = bool(_asked(names)) or "n_states" in names or not any(name in names for name in EVOLUTION_ONLY)
    return "(spectrum)" if spectrum else "(evolution)"


SolverKey = Annotated[
    Annotated[GivenSpectrum, Tag("(spectrum)")] | Annotated[WavePacketSolver, Tag("(evolution)")],
    Discriminator(_task),
]


class _Either(Keys):
    """Lists the keys of both tasks, for the documentation and for guesses; reads the one or the other."""

    members: ClassVar[tuple[type[Keys], ...]] = (GivenSpectrum, WavePacketSolver)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(source) if cls.__name__ == "_Either" else handler.generate_schema(SolverKey)


def _documented() -> dict[str, Any]:
    """Name -> (type, field) of the keys of both tasks, each with what it means in which."""
    sources = {"spectrum": GivenSpectrum.model_fields, "evolution": WavePacketSolver.model_fields}
    fields: dict[str, Any] = {}
    for name in dict.fromkeys([*GivenSpectrum.model_fields, *WavePacketSolver.model_fields]):
        own = {task: keys[name] for task, keys in sources.items() if name in keys}
        if name == "workers":
            own = {"spectrum": own["spectrum"]}
        texts = [_sentence(info, "" if name == "workers" else task) for task, info in own.items()]
        values = " | ".join(dict.fromkeys(_values(info) for info in own.values()))
        field = Field(default_factory=lambda: None, description=" ".join(texts), json_schema_extra={"values": values})
        fields[name] = (object, field)
    return fields


def _sentence(info: FieldInfo, task: str) -> str:
    """The description with its task and default."""
    text = (info.description or "").rstrip(".")
    shown = info.default not in (None, AUTOMATIC) and not info.is_required()
    text += f" (default: {info.default})" if shown else ""
    return f"[{task}] {text}." if task else f"{text}."


def _values(info: FieldInfo) -> str:
    """What a key takes, in words."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    if extra.get("values"):
        return str(extra["values"])
    if get_origin(info.annotation) is Literal:
        return " | ".join(map(str, get_args(info.annotation)))
    return "an integer" if info.annotation is int or int in get_args(info.annotation) else "a number"


SumOfProductsSolver: Any = create_model(
    "SumOfProductsSolver", __base__=_Either, __doc__="How the states, or the motion, are computed.", **_documented()
)
