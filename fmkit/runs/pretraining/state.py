"""A pretraining run and how far it has come: what a checkpoint holds, and which runs are the same."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from fmkit.errors import PretrainingError
from fmkit.runs import checkpoints
from fmkit.runs.corpus import Corpus
from fmkit.runs.parallel import World
from fmkit.runs.pretraining import recipes

CHECKPOINT = "checkpoint.pt"


@dataclasses.dataclass
class Run:
    """A run and how far it has come."""

    recipe: recipes.Recipe
    data: Corpus
    here: World
    folder: Path
    model: Any = None
    optimizer: Any = None
    step: int = 0
    losses: list[float] = dataclasses.field(default_factory=list)  # of every step so far
    val_losses: list = dataclasses.field(default_factory=list)  # (step, loss on parts of the text)
    finishing: bool = False  # all steps are done, and what the run leaves behind may be there in part
    cpu_seconds: float = 0.0  # of all processes together
    clock: float = 0.0  # this process's, when it last reported

    def identity(self) -> dict:
        """What must be the same for a run to go on."""
        recipe = json.loads(json.dumps(dataclasses.asdict(self.recipe)))
        return {"recipe": recipe, "text": self.data.fingerprint}

    def check_same(self, identity: dict) -> None:
        """Raise a PretrainingError if the folder's run has another identity."""
        defaults = {field.name: field.default for field in dataclasses.fields(self.recipe)}
        theirs, mine = (
            defaults | each["recipe"] | {"text": each["text"]}  # a field that is newer than the run, too
            for each in (identity, self.identity())
        )
        parts = [
            f"{name} {theirs.get(name)} there, {mine.get(name)} here"
            for name in mine | theirs
            if theirs.get(name) != mine.get(name)
        ]
        if parts:
            raise PretrainingError(
                f"{self.folder} holds another run ({'; '.join(parts)}). Name another folder (--output)"
            )

    def parameters(self) -> int:
        """How many numbers the model has."""
        return sum(w.numel() for w in self.model.parameters())

    def begin(self) -> bool:
        """Make model and optimizer: new ones, or those of the checkpoint; True if there is one."""
        self.model = recipes.make_model(self.recipe, self.data.tokenizer.vocab_size, self.here.device)
        self.optimizer = recipes.make_optimizer(self.model, self.recipe)
        path = self.folder / CHECKPOINT
        saved = self.here.share(lambda: path.read_bytes() if os.path.lexists(path) else None)
        if saved is not None:
            state = checkpoints.from_bytes(saved, path, self.here.device)
            self.check_same(json.loads(state.pop("identity")))
            self.model.load_state_dict(state.pop("model"))
            self.optimizer.load_state_dict(state.pop("optimizer"))
            for name, value in state.items():
                setattr(self, name, value)
        return saved is not None

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "identity": json.dumps(self.identity()),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "val_losses": self.val_losses,
            "finishing": self.finishing,
            "cpu_seconds": self.cpu_seconds,
        }
        checkpoints.write(self.folder / CHECKPOINT, checkpoints.to_bytes(state))
