"""Read images that a list names."""

import os.path as osp
import re
from typing import Any, Callable, List, Optional, Union

from mmaction.datasets import BaseActionDataset
from mmaction.registry import DATASETS
from mmengine.fileio import list_from_file

LINE = re.compile(r'(?P<name>.*?)(?:\s+(?P<label>-?\d+))?')


@DATASETS.register_module()
class ImageListDataset(BaseActionDataset):
    """Images that a list names, one in a line, for mmaction2's transforms.

    A line is a path, which may contain spaces, and, if need be, a label:

    .. code-block:: txt

        n01440764/n01440764_2708.JPEG 0
        holidays/at the sea.jpg

    Args:
        ann_file (str): The list.
        pipeline (List[dict | Callable]): Transforms; ``ImageDecode`` reads
            the file.
        data_prefix (dict, optional): Folder of the images, under ``img``.
            Defaults to None: paths count from where the program runs.
        **dataset: Passed on to ``BaseActionDataset``.

    Raises:
        ValueError: If the list names no image.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: List[Union[dict, Callable]],
        data_prefix: Optional[dict] = None,
        **dataset: Any,
    ) -> None:
        super().__init__(
            ann_file,
            pipeline=pipeline,
            data_prefix=data_prefix or dict(img=''),
            **dataset,
        )

    def load_data_list(self) -> List[dict]:
        """Read the list; images count as clips of one frame."""
        samples = []
        for line in list_from_file(self.ann_file):
            found = LINE.fullmatch(line.strip())
            if found['name']:
                samples.append(
                    dict(
                        filename=osp.join(
                            self.data_prefix.get('img', ''), found['name']
                        ),
                        label=int(found['label'] or -1),
                        num_clips=1,
                        clip_len=1,
                    )
                )
        if not samples:
            raise ValueError(
                f'{self.ann_file} names no image; write the path of one in '
                'every line.'
            )
        return samples
