"""Look into models: costs, attention, what they predict.

Count parameters and operations (``complexity``), compare weights with a method
(``method_fit``), draw attention (``path_attention``) and masked clips
(``masked_clip``), measure masked tokens (``masked_tokens``) and what a model
makes of time (``temporal_dependency``, ``motion_report``).
"""
