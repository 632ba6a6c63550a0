"""BEVT: pretrain video transformers on masked visual tokens."""
