//go:build cgo && (linux || darwin)

#include "runtime.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "context.h"

int64_t stats[STAT_COUNT];
int64_t park_spin_ns;
park_places park_spinners;
int runtime_forked;

static char problem[1024];
static const runtime_config *config;
static parker started;
static uint32_t ready;
static const char *outcome; // of the start; NULL is success

static const char *fail(const char *what, const char *why) {
  snprintf(problem, sizeof problem, "%s: %s", what, why);
  return problem;
}

// CPython 3.14 and later: PEP 741. Isolated, so that the result depends on this configuration alone.
static const char *initialize_by_config(void) {
  PyInitConfig *c = PyInitConfig_Create();
  if (!c) return "out of memory";
  const char *why = NULL;
  int failed = PyInitConfig_SetInt(c, "utf8_mode", 1) < 0 || PyInitConfig_SetInt(c, "install_signal_handlers", 0) < 0 ||
               PyInitConfig_SetInt(c, "configure_c_stdio", 0) < 0 || PyInitConfig_SetInt(c, "parse_argv", 0) < 0;
  if (!failed && config->home) failed = PyInitConfig_SetStr(c, "home", config->home) < 0;
  if (!failed && config->executable) failed = PyInitConfig_SetStr(c, "executable", config->executable) < 0;
  if (failed || Py_InitializeFromInitConfig(c) < 0) {
    PyInitConfig_GetError(c, &why);
    why = fail("CPython does not start", why ? why : "no reason given");
  }
  PyInitConfig_Free(c);
  return why;
}

const char *runtime_version(void) { return Py_GetVersion(); }

static void set_flag(const char *name, int value) {
  int *flag = api_symbol(name);
  if (flag) *flag = value;
}

// Before 3.14, with the functions and flags that every version exports. What they keep is never freed, as they demand.
static const char *initialize_by_flags(void) {
  set_flag("Py_UTF8Mode", 1);
  set_flag("Py_IgnoreEnvironmentFlag", 1);
  set_flag("Py_NoUserSiteDirectory", 1);
  set_flag("Py_IsolatedFlag", 1);
  if (config->wide.home && Py_SetPythonHome) Py_SetPythonHome(config->wide.home);
  if (config->wide.executable && Py_SetProgramName) Py_SetProgramName(config->wide.executable);
  Py_InitializeEx(0);
  return Py_IsInitialized() ? NULL : "CPython does not start";
}

static void in_forked_child(void) { runtime_forked = 1; }

static const char *start(void) {
  const char *why = api_load(config->library);
  if (why) return why;
  if (Py_IsInitialized()) return "this process already runs a CPython that somebody else started";
  why = PyInitConfig_Create ? initialize_by_config() : initialize_by_flags();
  if (why) return why;
  if ((why = api_learn_layout())) return why;
  if ((why = main_interp_start(config->bootstrap))) return why;
  pthread_atfork(NULL, NULL, in_forked_child);
  // As CPython does where signals are its own: writing to what nobody reads any more is an error, not the end. A Go program
  // that writes to a broken standard output ends all the same, as the Go runtime has it.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  park_spin_ns = config->spin_ns;
  park_spinners.most = config->spinners;
  park_spinners.few = config->few;
  return NULL;
}

static void *runtime_main(void *unused) {
  (void)unused;
  const char *why = start();
  if (!why) PyEval_SaveThread();
  outcome = why;
  __atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
  parker_wake(&started);
  // The thread that initialised CPython is its main thread and must not end before the process does.
  while (!why) pause();
  return NULL;
}

const char *runtime_start(const runtime_config *c) {
  pthread_attr_t attr;
  pthread_t thread;
  config = c;
  parker_init(&started);
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 16 << 20);
  int failed = pthread_create(&thread, &attr, runtime_main, NULL);
  pthread_attr_destroy(&attr);
  if (failed) return "no thread can be had for CPython";
  pthread_detach(thread);
  while (!__atomic_load_n(&ready, __ATOMIC_SEQ_CST)) {
    parker_announce(&started);
    if (__atomic_load_n(&ready, __ATOMIC_SEQ_CST)) break;
    parker_sleep(&started, -1);
  }
  return outcome;
}
