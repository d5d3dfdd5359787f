// Observer measures the outage of one HTTPS path as a client sees it, and shares nothing with
// quorate: another language, its own clock, its own TLS, its own arithmetic. It exists to check
// quorate's sampler, and therefore must never read anything that quorate wrote about a run.
//
// Open loop: tick k is due at t0 + k/rate, whatever became of the ticks before. Each tick is one
// GET over a new TCP and TLS connection, with no retry. A sample is good when the status is 200 and
// the whole body has arrived by due + deadline; everything else is bad.
//
// It runs until SIGTERM, SIGINT or -for, waits for the requests in flight (a deadline at most), and
// prints one JSON object on stdout. "ready" on stderr after the first good answer.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

type options struct {
	url, ca, cert, key, serverName string
	rateHz                         float64
	deadline, runFor               time.Duration
	inFlight                       int
}

type report struct {
	LongestOutage float64    `json:"longest_outage_s"`
	Samples       int        `json:"samples"`
	Bad           int        `json:"bad"`
	Late          int        `json:"late"`    // ticks started more than half a period after their due time
	Skipped       int        `json:"skipped"` // ticks not sent because too many were in flight; they count as bad
	RateHz        float64    `json:"rate_hz"`
	DeadlineS     float64    `json:"deadline_s"`
	DurationS     float64    `json:"duration_s"`
	Intervals     []interval `json:"intervals"`
	Errors        []string   `json:"errors"` // the first of each kind, for people
}

func main() {
	o := options{}
	flag.StringVar(&o.url, "url", "", "URL to GET")
	flag.StringVar(&o.ca, "ca", "", "PEM file of the CA that signed the server")
	flag.StringVar(&o.cert, "cert", "", "PEM file of the client certificate")
	flag.StringVar(&o.key, "key", "", "PEM file of the client's key")
	flag.StringVar(&o.serverName, "server-name", "", "name to expect in the server's certificate (default: the URL's host)")
	flag.Float64Var(&o.rateHz, "rate", 20, "requests per second, at least 20")
	flag.DurationVar(&o.deadline, "deadline", time.Second, "an answer later than this after its due time is bad")
	flag.DurationVar(&o.runFor, "for", 0, "stop after this long (default: at SIGTERM)")
	flag.IntVar(&o.inFlight, "in-flight", 400, "most requests under way at once")
	flag.Parse()
	if err := run(o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "observer:", err)
		os.Exit(2)
	}
}

func run(o options, out, notes io.Writer) error {
	if o.url == "" || flag.NArg() > 0 {
		return errors.New("-url is needed, and nothing but flags")
	}
	if o.rateHz < 20 {
		return errors.New("-rate below 20 Hz cannot check a sampler at 20 Hz")
	}
	config, err := tlsConfig(o)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if o.runFor > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.runFor)
		defer cancel()
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(observe(ctx, o, config, notes))
}

func tlsConfig(o options) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.serverName}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate in it", o.ca)
		}
	}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// client opens a connection for each request: no reuse, no session tickets, no HTTP/2, no proxy.
func client(config *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:       (&net.Dialer{KeepAlive: -1}).DialContext,
			TLSClientConfig:   config,
			DisableKeepAlives: true,
			Proxy:             nil,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// observation gathers what the requests' goroutines found.
type observation struct {
	sync.Mutex
	samples []sample // by tick
	errors  map[string]bool
	first   []string
	ready   bool
}

func (o *observation) settle(k int, err error, notes io.Writer) {
	o.Lock()
	defer o.Unlock()
	o.samples[k].good = err == nil
	if err == nil && !o.ready {
		o.ready = true
		fmt.Fprintln(notes, "ready")
	}
	if err != nil {
		if kind := fmt.Sprintf("%T", errors.Unwrap(err)); !o.errors[kind] && len(o.first) < 10 {
			o.errors[kind] = true
			o.first = append(o.first, fmt.Sprintf("%.3f: %v", o.samples[k].due, err))
		}
	}
}

func observe(ctx context.Context, o options, config *tls.Config, notes io.Writer) report {
	web := client(config)
	seen := &observation{errors: map[string]bool{}, first: []string{}}
	r := report{RateHz: o.rateHz, DeadlineS: o.deadline.Seconds()}
	slots := make(chan struct{}, o.inFlight)
	var flying sync.WaitGroup
	period := time.Duration(float64(time.Second) / o.rateHz)
	t0 := time.Now() // carries Go's monotonic reading: no wall clock step can bend an interval
	for k := 0; waitUntil(ctx, t0.Add(time.Duration(k)*period)); k++ {
		offset := time.Duration(k) * period
		due := t0.Add(offset)
		if time.Since(due) > period/2 {
			r.Late++
		}
		seen.Lock()
		seen.samples = append(seen.samples, sample{due: offset.Seconds()})
		seen.Unlock()
		select {
		case slots <- struct{}{}:
		default:
			r.Skipped++ // stays bad: what cannot even be asked is not served
			continue
		}
		flying.Add(1)
		go func(k int) {
			defer func() { <-slots; flying.Done() }()
			seen.settle(k, get(web, o.url, due.Add(o.deadline)), notes)
		}(k)
	}
	r.DurationS = time.Since(t0).Seconds()
	flying.Wait()
	r.Intervals, r.Samples, r.Errors = intervals(seen.samples), len(seen.samples), seen.first
	r.LongestOutage = longest(r.Intervals)
	for _, s := range seen.samples {
		if !s.good {
			r.Bad++
		}
	}
	return r
}

// waitUntil sleeps until t; false when it is time to stop.
func waitUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// get is one request that must be over by the deadline, body and all.
func get(web *http.Client, url string, deadline time.Time) error {
	// Not the observer's own context: a stop must let the requests in flight have their deadline.
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := web.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	if late := time.Since(deadline); late > 0 {
		return fmt.Errorf("answered %v after its deadline", late)
	}
	return nil
}
