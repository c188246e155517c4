"""What this machine supports and what is installed on it: behind ``hwsim doctor``."""

from hwsim.doctor.examination import Examination, examine

__all__ = ["Examination", "examine"]
