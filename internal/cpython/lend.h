// Go's memory as Python sees it: where it is, without a copy, until what it was lent for is over.
#ifndef PY_LEND_H
#define PY_LEND_H

#include "context.h"

// What decode made of one piece of memory, noted with its reader.
typedef struct lent {
  struct lent *next;
  struct loan *loan;
  PyObject *view; // owned
  PyObject *of; // not owned: within Attach, the object that holds it
} lent;

HIDDEN PyObject *lend(reader *r, interp *in);
HIDDEN int lent_kept(void);

#endif
