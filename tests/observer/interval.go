package main

// One request's fate. Times are seconds on the observer's own monotonic clock, from its first tick.
type sample struct {
	due  float64 // when the request was meant to start
	good bool    // answered 200 within due + deadline
}

// A disruption: from the due time of the first bad sample to the due time of the first of three
// consecutive good ones. Open: the data ended before three good ones were seen.
type interval struct {
	Start  float64 `json:"start_s"`
	End    float64 `json:"end_s"`
	Length float64 `json:"length_s"`
	Bad    int     `json:"bad"`
	Open   bool    `json:"open"`
}

const goodInARow = 3 // consecutive good samples that end a disruption

// intervals finds the disruptions in samples ordered by due time.
func intervals(samples []sample) []interval {
	found := []interval{}
	var current *interval
	good, firstGood := 0, 0.0
	for _, s := range samples {
		switch {
		case !s.good && current == nil:
			current = &interval{Start: s.due, Bad: 1}
			good = 0
		case !s.good:
			current.Bad++
			good = 0
		case current != nil:
			if good == 0 {
				firstGood = s.due
			}
			if good++; good == goodInARow {
				found = append(found, closed(*current, firstGood, false))
				current, good = nil, 0
			}
		}
	}
	if current != nil {
		found = append(found, closed(*current, samples[len(samples)-1].due, true))
	}
	return found
}

func closed(i interval, end float64, open bool) interval {
	i.End, i.Length, i.Open = end, end-i.Start, open
	return i
}

// longest is the greatest length, 0 without any disruption.
func longest(all []interval) float64 {
	most := 0.0
	for _, i := range all {
		most = max(most, i.Length)
	}
	return most
}
