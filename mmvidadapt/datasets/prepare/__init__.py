"""From videos as they lie on a disk to lists that training can rely on."""
