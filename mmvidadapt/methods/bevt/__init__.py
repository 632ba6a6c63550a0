"""BEVT: pretrain video transformers on masked visual tokens.

``masked_swin.py``
    The equation: hide tokens, encode, decode.
``swin.py``
    ``BEVTSwin``: its lean twin, which decodes masked rows only.
``timesformer.py``
    ``BEVTTimeSformer``: the same on mmaction2's TimeSformer.
``masked_model.py``
    Base class of both: streams, masks, checkpointing.
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
``dataset_image_list.py``, ``dataset_tokenized.py``
    Lists of images; crops whose tokens were computed before.
``transforms_masks.py``, ``transforms_tokenizer_view.py``
    What is hidden; the pictures that the tokenizer reads.
"""
