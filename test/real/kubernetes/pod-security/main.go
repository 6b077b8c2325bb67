// Judges pods by the policy code of Kubernetes itself: reads pod specs as JSON, {"name": …, "labels": …, "spec": …}, one a line, and prints one
// line for each that the profile "restricted" of Pod Security refuses, with its reasons. Ends with 1 when there is one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type pod struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Spec   corev1.PodSpec    `json:"spec"`
}

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	read, refused := 0, 0
	for lines.Scan() {
		var one pod
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		read++
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &metav1.ObjectMeta{Labels: one.Labels}, &one.Spec))
		if !result.Allowed {
			refused++
			fmt.Printf("%s: %s: %s\n", one.Name, result.ForbiddenReason(), result.ForbiddenDetail())
		}
	}
	fmt.Fprintf(os.Stderr, "%d read, %d refused\n", read, refused)
	if refused > 0 {
		os.Exit(1)
	}
}
