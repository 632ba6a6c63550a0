"""Describe a file of the Hugging Face Hub, and find it on this machine."""

from typing import NamedTuple, Optional, Tuple

HUB_FILES = ('model.safetensors', 'pytorch_model.bin')


class HubFile(NamedTuple):
    """Weights on the Hugging Face Hub.

    Args:
        repo (str): Repository, ``'facebook/dinov2-base'``.
        files (Tuple[str, ...]): Names that the file may have there, in the
            order in which they are asked for.
            Defaults to ``('model.safetensors', 'pytorch_model.bin')``.
        revision (str, optional): Commit. Defaults to None: the newest.
        sha256 (str, optional): Hash of the file. Defaults to None.
        size (int, optional): About how many MiB it has. Defaults to None.
        gated (bool): Whether the Hub gives it only to those who have accepted
            its licence there. Defaults to False.
        instead (str, optional): Name of the same weights where nothing has
            to be accepted. Defaults to None.
    """

    repo: str
    files: Tuple[str, ...] = HUB_FILES
    revision: Optional[str] = None
    sha256: Optional[str] = None
    size: Optional[int] = None
    gated: bool = False
    instead: Optional[str] = None

    @property
    def urls(self) -> Tuple[str, ...]:
        """Return the address of each name that the file may have."""
        root = f'https://huggingface.co/{self.repo}/resolve'
        return tuple(
            f'{root}/{self.revision or "main"}/{file}' for file in self.files
        )

    def find_cached(self) -> Optional[str]:
        """Find the file where huggingface_hub keeps its own downloads.

        Returns:
            str, optional: Its path, if any program has downloaded it.
        """
        try:
            from huggingface_hub import try_to_load_from_cache as find
        except ImportError:
            return None
        for file in self.files:
            path = find(self.repo, file, revision=self.revision)
            if isinstance(path, str):
                return path
        return None
