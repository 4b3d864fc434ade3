"""What all sections of fleet.toml have in common."""

from pydantic import BaseModel, ConfigDict, model_validator

from fleet.core.secrets import Reference


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SecretRef(Section):
    """Where a secret is: an environment variable or a file."""

    env: str | None = None
    file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_none_itself(cls, value: object) -> object:
        if isinstance(value, dict | SecretRef):
            return value
        raise ValueError('a secret is never here: write { env = "NAME" } or { file = "PATH" }')

    @model_validator(mode="after")
    def _one(self) -> "SecretRef":
        if (self.env is None) == (self.file is None):
            raise ValueError('write { env = "NAME" } or { file = "PATH" }')
        return self

    @property
    def reference(self) -> Reference:
        """The same, as templates say it."""
        return Reference("env", self.env) if self.env else Reference("file", self.file or "")
