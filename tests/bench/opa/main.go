// SPDX-License-Identifier: Apache-2.0

// Times Open Policy Agent. Reads one JSON object a line, {"policies": REGO, "requests": [...]}, and prints the lowest tenth of
// rounds of nanoseconds a decision, and how many are allowed; policy and inputs are parsed and compiled beforehand.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

type question struct {
	Policies string `json:"policies"`
	Requests []any  `json:"requests"`
}

func run(q question) (ns float64, allowed int, err error) {
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.access.allow"), rego.Module("access.rego", q.Policies)).PrepareForEval(ctx)
	if err != nil {
		return 0, 0, err
	}
	inputs := make([]ast.Value, len(q.Requests))
	for i, request := range q.Requests {
		if inputs[i], err = ast.InterfaceToValue(request); err != nil {
			return 0, 0, err
		}
	}
	var rounds []float64
	begin := time.Now()
	for len(rounds) < 5 || (time.Since(begin) < 500*time.Millisecond && len(rounds) < 101) {
		allowed = 0
		start := time.Now()
		for _, input := range inputs {
			results, err := query.Eval(ctx, rego.EvalParsedInput(input))
			if err != nil {
				return 0, 0, err
			}
			if results.Allowed() {
				allowed++
			}
		}
		rounds = append(rounds, float64(time.Since(start).Nanoseconds())/float64(len(inputs)))
	}
	sort.Float64s(rounds)
	return rounds[len(rounds)/10], allowed, nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var q question
		err := json.Unmarshal(lines.Bytes(), &q)
		var ns float64
		var allowed int
		if err == nil {
			ns, allowed, err = run(q)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "opa_bench:", err)
			os.Exit(1)
		}
		fmt.Printf("{\"ns\":%.1f,\"allowed\":%d}\n", ns, allowed)
	}
}
