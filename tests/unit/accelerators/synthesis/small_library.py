"""A cell library with round figures, in units that Liberty files of small nodes have."""

from pathlib import Path

TEXT = """\
/* Four cells. Energies are in femtojoules: femtofarads times volts squared. */
library ("small") {
  time_unit : "1ps";
  voltage_unit : "1V";
  leakage_power_unit : "1uW";
  capacitive_load_unit (1, ff);
  nom_voltage : 2.0
  power_lut_template (by_load) {
    variable_1 : total_output_net_capacitance;
    index_1 ("0, 10");
  }
  lu_table_template (by_both) {
    variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance;
    index_1 ("10, 20");
    index_2 ("0, 10");
  }
  cell (INV) {
    area : 1;
    cell_leakage_power : 0.5;
    pin (A) { direction : input; capacitance : 2; }
    pin (Y) {
      direction : output;
      function : "!A";
      internal_power () {
        related_pin : "A";
        rise_power (by_load) { values ("1, 3"); }
        fall_power (scalar) { values ("4"); }
      }
      timing () {
        related_pin : "A";
        cell_rise (by_both) { values ("10, 30", \\
                                      "20, 40"); }
        cell_fall (scalar) { values ("7"); }
        rise_transition (scalar) { values ("12"); }
        fall_transition (scalar) { values ("18"); }
      }
    }
  }
  cell (NAND) {
    area : 2;
    leakage_power () { when : "A"; value : 1.0; }
    leakage_power () { when : "!A"; value : 3.0; }
    pin (A) { direction : input; capacitance : 2; }
    pin (B) { direction : input; capacitance : 3; }
    pin (Y) { direction : output; function : "(A B)'"; }
  }
  cell (XOR) {
    area : 3;
    pin (A) { direction : input; capacitance : 4; }
    pin (B) { direction : input; capacitance : 4; }
    pin (Y) { direction : output; function : "A ^ B"; }
  }
  cell (FLOP) {
    area : 6;
    ff (IQ, IQN) { next_state : "D"; clocked_on : "C"; }
    pin (C) {
      direction : input; clock : true; capacitance : 1;
      internal_power () {
        rise_power (scalar) { values ("2"); }
        fall_power (scalar) { values ("3"); }
      }
    }
    pin (D) { direction : input; capacitance : 1; }
    pin (Q) { direction : output; function : "IQ"; }
    pin (QN) { direction : output; function : "IQN"; }
  }
  cell (LATCHED) {
    area : 6;
    latch (IQ, IQN) { enable : "E"; data_in : "D"; }
    pin (E) { direction : input; capacitance : 1; }
    pin (D) { direction : input; capacitance : 1; }
    pin (Q) { direction : output; function : "IQ"; }
  }
  cell (RESET_FLOP) {
    area : 6;
    ff (IQ, IQN) { next_state : "D"; clocked_on : "C"; clear : "R"; }
    pin (C) { direction : input; capacitance : 1; }
    pin (D) { direction : input; capacitance : 1; }
    pin (R) { direction : input; capacitance : 1; }
    pin (Q) { direction : output; function : "IQ"; }
  }
  cell (BARE) {
    area : 1;
    pin (A) { direction : input; }
    pin (Y) { direction : output; function : "A"; }
  }
}
"""


def small_library(folder: Path) -> Path:
    """The library as a file."""
    path = folder / "small.lib"
    path.write_text(TEXT)
    return path
