// Package packages tests py with packages that are not part of Python: numpy first of all, and the programs of
// examples/packages. The tests need a Python that has them; .ci/run makes a virtual environment from requirements.txt. Where
// there is none they are skipped, and say so.
package packages
