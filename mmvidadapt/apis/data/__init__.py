"""Prepare the input of a training, once for every data set.

Transcode videos (``transcode``), write frames as images (``frame_images``) or
read folders of them (``frame_config``), cache the features of a frozen trunk
(``feature_cache``), fit a tokenizer (``fit_tokenizer``) and cache its tokens
(``precompute_tokens``).
"""
