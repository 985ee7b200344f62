package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// sidecar is Python's own HTTP server, for any number of callers.
type sidecar struct {
	client http.Client
	url    string
}

func (l *lab) openSidecar() (service, func(), error) {
	cmd, err := l.python("server.py", "http")
	if err != nil {
		return nil, nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	end := func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
	var port int
	if _, err := fmt.Fscan(out, &port); err != nil {
		end()
		return nil, nil, fmt.Errorf("the HTTP sidecar does not start: %w", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	return &sidecar{http.Client{Transport: transport}, fmt.Sprintf("http://127.0.0.1:%d/", port)}, end, nil
}

func (s *sidecar) call(function string, result any, args ...any) error {
	body, err := json.Marshal(question{function, args})
	if err != nil {
		return err
	}
	response, err := s.client.Post(s.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	a := answer{Result: result}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return err
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	return nil
}
