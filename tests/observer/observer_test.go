package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// history turns "ggb…" into samples one second apart.
func history(text string) []sample {
	samples := []sample{}
	for k, c := range text {
		samples = append(samples, sample{due: float64(k), good: c == 'g'})
	}
	return samples
}

func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		text    string
		lengths []float64
		open    bool
		bad     int
	}{
		{"", nil, false, 0},
		{"ggggg", nil, false, 0},
		{"ggbggg", []float64{1}, false, 1},
		{"gbbbggg", []float64{3}, false, 3},
		{"gbggbggg", []float64{4}, false, 2},    // two good ones do not end it; dated back to the first of three
		{"bgggbggg", []float64{1, 1}, false, 1}, // three do
		{"gggbb", []float64{1}, true, 2},        // the data ends inside: open
		{"gggbgg", []float64{2}, true, 1},
	} {
		got := intervals(history(c.text))
		if len(got) != len(c.lengths) {
			t.Fatalf("%q: %d intervals, want %d: %+v", c.text, len(got), len(c.lengths), got)
		}
		for i, length := range c.lengths {
			if got[i].Length != length {
				t.Errorf("%q: length %v, want %v", c.text, got[i].Length, length)
			}
		}
		if len(got) > 0 && (got[0].Open != c.open || got[0].Bad != c.bad) {
			t.Errorf("%q: %+v, want open %v, bad %d", c.text, got[0], c.open, c.bad)
		}
	}
}

// outage serves 200, but answers nothing in [from, until) after the first request.
type outage struct {
	from, until time.Duration
	first       atomic.Pointer[time.Time]
	connections atomic.Int64
	certified   atomic.Bool
}

func (o *outage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	o.first.CompareAndSwap(nil, &now)
	o.certified.Store(len(r.TLS.PeerCertificates) == 1)
	at := now.Sub(*o.first.Load())
	if at >= o.from && at < o.until {
		<-r.Context().Done() // hangs, as a path without a machine behind it does
		return
	}
	_, _ = io.WriteString(w, `{"kind":"ConfigMap"}`)
}

// serve starts a TLS server that demands the client certificate; returns the observer's options.
func serve(t *testing.T, o *outage) options {
	t.Helper()
	server := httptest.NewUnstartedServer(o)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	folder := t.TempDir()
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// httptest's own certificate serves as CA, server and client: it is for loopback and nothing else.
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return options{
		url:      server.URL,
		ca:       write("ca.pem", "CERTIFICATE", pair.Certificate[0]),
		cert:     write("cert.pem", "CERTIFICATE", pair.Certificate[0]),
		key:      write("key.pem", "PRIVATE KEY", key),
		rateHz:   50,
		deadline: 200 * time.Millisecond,
		inFlight: 400,
	}
}

func observed(t *testing.T, o options) (report, string) {
	t.Helper()
	var out, notes bytes.Buffer
	if err := run(o, &out, &notes); err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r, notes.String()
}

func TestKnownOutageIsMeasured(t *testing.T) {
	o := &outage{from: 500 * time.Millisecond, until: 1500 * time.Millisecond}
	settings := serve(t, o)
	settings.runFor = 2500 * time.Millisecond
	r, notes := observed(t, settings)
	if math.Abs(r.LongestOutage-1.0) > 0.08 {
		t.Errorf("longest outage %.3f s, want 1.0 s within 0.08 s: %+v", r.LongestOutage, r)
	}
	if len(r.Intervals) != 1 || r.Intervals[0].Open {
		t.Errorf("want one closed interval: %+v", r.Intervals)
	}
	if r.Samples < 120 || r.Samples > 126 {
		t.Errorf("%d samples in 2.5 s at 50 Hz: not an open loop", r.Samples)
	}
	if !o.certified.Load() {
		t.Error("the client certificate did not arrive")
	}
	if notes != "ready\n" {
		t.Errorf("notes %q, want one \"ready\"", notes)
	}
}

func TestQuietPathIsPerfect(t *testing.T) {
	settings := serve(t, &outage{})
	settings.runFor = 600 * time.Millisecond
	if r, _ := observed(t, settings); r.Bad != 0 || r.LongestOutage != 0 || r.Samples < 25 {
		t.Errorf("nothing happened, yet %+v", r)
	}
}

func TestOutageUntilTheEndIsOpen(t *testing.T) {
	settings := serve(t, &outage{from: 200 * time.Millisecond, until: time.Hour})
	settings.runFor = 600 * time.Millisecond
	r, _ := observed(t, settings)
	if len(r.Intervals) != 1 || !r.Intervals[0].Open {
		t.Errorf("want one open interval: %+v", r)
	}
}

func TestWrongServerIsBad(t *testing.T) {
	settings := serve(t, &outage{})
	settings.serverName, settings.runFor = "elsewhere.invalid", 300*time.Millisecond
	r, _ := observed(t, settings)
	if r.Bad != r.Samples || len(r.Errors) == 0 || !strings.Contains(r.Errors[0], "certificate") {
		t.Errorf("a server with another name was taken for ours: %+v", r)
	}
}

func TestEachRequestIsANewConnection(t *testing.T) {
	o := &outage{}
	settings := serve(t, o)
	config, err := tlsConfig(settings)
	if err != nil {
		t.Fatal(err)
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if state.DidResume {
			t.Error("a TLS session was resumed")
		}
		o.connections.Add(1)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if r := observe(ctx, settings, config, io.Discard); o.connections.Load() != int64(r.Samples) {
		t.Errorf("%d handshakes for %d samples", o.connections.Load(), r.Samples)
	}
}

func TestSlowRateIsRefused(t *testing.T) {
	if err := run(options{url: "https://localhost", rateHz: 10}, io.Discard, io.Discard); err == nil {
		t.Error("10 Hz cannot check a sampler at 20 Hz, yet it was taken")
	}
}
