package conformance

import (
	"testing"
	"time"

	"github.com/pycontext/py"
)

func init() { standardCases = append(standardCases, testCase{"Zones", zones}) }

// zones sends times of all kinds of locations to Python and back. Instant and offset always survive; names do, but for Local.
func zones(t *testing.T, s *suite) {
	c := s.openStandard(t, "from datetime import datetime, timedelta, timezone, tzinfo\nfrom zoneinfo import ZoneInfo\nimport zoneinfo\n"+
		"class Odd(tzinfo):\n  def utcoffset(self, at): return timedelta(hours=1)\n  def tzname(self, at): return None\n  def dst(self, at): return None")
	fixed := func(name string, seconds int) *time.Location { return time.FixedZone(name, seconds) }
	locations := []*time.Location{
		time.UTC, fixed("", 5*3600), fixed("", -1), fixed("X", 5*3600), fixed("X", 0), fixed("UTC+05:00", 5*3600), fixed("UTC", 3600),
		fixed("Zürich \x00", 3600), fixed("a/b", 3600), fixed("", 86399), fixed("Europe/Berlin", 5), time.Local,
	}
	database := false
	for _, name := range []string{"Europe/Berlin", "America/St_Johns", "Etc/UTC", "Etc/GMT-3", "EST5EDT", "CET", "EST", "GB", "Africa/Monrovia", "Australia/Lord_Howe"} {
		location, err := time.LoadLocation(name)
		if err != nil {
			t.Logf("%s is not on this machine: %v", name, err)
			continue
		}
		locations = append(locations, location)
		database = database || name == "Europe/Berlin"
	}
	database = database && eval[bool](t, c, "'Europe/Berlin' in zoneinfo.available_timezones()")
	for _, location := range locations {
		for _, at := range []time.Time{
			time.Date(2024, 1, 15, 12, 0, 0, 1000, location), time.Date(2024, 7, 15, 12, 0, 0, 999999000, location),
			time.Date(2024, 10, 27, 0, 30, 0, 0, time.UTC).In(location), time.Date(2024, 10, 27, 1, 30, 0, 0, time.UTC).In(location),
			time.Date(2024, 3, 31, 2, 30, 0, 0, location), time.Date(1800, 1, 1, 0, 0, 0, 0, location),
			time.Date(1, 1, 1, 0, 0, 0, 0, location), time.Date(9999, 12, 31, 23, 59, 59, 0, location),
		} {
			back := eval[time.Time](t, c, "at", py.Vars{"at": at})
			abbreviation, offset := at.Zone()
			name, o := back.Zone()
			if !back.Equal(at) || o != offset {
				t.Errorf("%v in %v came back as %v", at, location, back)
			}
			if want := location.String(); location != time.Local && back.Location().String() != want && (want != "" || offset != 0) {
				t.Errorf("%v in %q came back in %q", at, want, back.Location())
			}
			if location == time.Local && name != abbreviation {
				t.Errorf("%v, local, came back as %v", at, back)
			}
			// What it is in Python is the same again, too.
			equal(t, at.String(), eval[string](t, c, "repr(at)", py.Vars{"at": back}), eval[string](t, c, "repr(at)", py.Vars{"at": at}))
		}
	}
	for _, expr := range []string{
		"timezone.utc", "timezone(timedelta(hours=5))", "timezone(-timedelta(hours=5, seconds=1))", "timezone(timedelta(hours=5), 'X')",
		"timezone(timedelta(0), 'X')", "timezone(timedelta(hours=5), 'UTC+05:00')", "timezone(timedelta(hours=1), 'UTC')",
		"ZoneInfo('Europe/Berlin')", "ZoneInfo('Etc/UTC')", "ZoneInfo('EST5EDT')", "ZoneInfo('CET')",
	} {
		if expr[0] == 'Z' && !database {
			continue
		}
		for _, at := range []string{"2024, 1, 15", "2024, 7, 15", "2024, 10, 27, 2, 30", "2024, 10, 27, 2, 30, fold=1", "1, 1, 1", "9999, 12, 31, 23, 59, 59, 999999"} {
			value := "datetime(" + at + ", tzinfo=" + expr + ")"
			back := eval[time.Time](t, c, value)
			run(t, c, "want = "+value, py.Vars{"got": back})
			if got := eval[string](t, c, "repr(got)"); got != eval[string](t, c, "repr(want)") {
				// A fold that means nothing is gone, and a time without an offset of its own.
				equal(t, value, got, eval[string](t, c, "repr(want.replace(fold=0))"))
				equal(t, value+", its offset", eval[bool](t, c, "got.utcoffset() == want.utcoffset()"), true)
			}
		}
	}
	if database { // a time that clocks leave out
		equal(t, "a gap", eval[string](t, c, "str(at)", py.Vars{"at": eval[time.Time](t, c, "datetime(2024, 3, 31, 2, 30, tzinfo=ZoneInfo('Europe/Berlin'))")}), "2024-03-31 02:30:00+01:00")
	}
	equal(t, "no name", eval[string](t, c, "repr(at.tzinfo)", py.Vars{"at": eval[time.Time](t, c, "datetime(2024, 1, 1, tzinfo=Odd())")}),
		"datetime.timezone(datetime.timedelta(seconds=3600))")
	equal(t, "ZoneInfo('UTC')", eval[string](t, c, "repr(at.tzinfo)", py.Vars{"at": eval[time.Time](t, c, "datetime(2024, 1, 1, tzinfo=ZoneInfo('UTC'))")}), "datetime.timezone.utc")
}
