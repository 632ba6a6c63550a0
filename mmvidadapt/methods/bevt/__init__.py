"""BEVT: pretrain video transformers on masked visual tokens.

``swin.py``
    ``MaskedSwin``, the equation: hide tokens, encode, decode; and
    ``BEVTSwin``, its lean twin, which decodes masked rows only.
``timesformer.py``
    ``BEVTTimeSformer``: the same on mmaction2's TimeSformer.
``base.py``
    What both share: streams, masks, checkpointing.
``masked_rows.py``
    Decoding where a mask is set.
``head.py``
    ``BEVTHead``: the classifier over the vocabulary.
``pretrainer.py``
    ``BEVTPretrainer``: the recognizer of both streams.
``video_swin.py``
    ``BEVTVideoSwin``: mmaction2's Video Swin for fine-tuning.
``names.py``
    How image Swins and checkpoints of BEVT become weights of a Video Swin.
``tokenizers/``
    Pictures to visual tokens, and back where there is a decoder.
``dataset_images.py``, ``dataset_tokenized.py``
    Lists of images; crops whose tokens were computed before.
``transforms_masks.py``, ``transforms_view.py``
    What is hidden; the pictures that the tokenizer reads.
"""
