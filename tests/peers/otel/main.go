// SPDX-License-Identifier: MIT

// Reads a vpc file as the OpenTelemetry Collector reads VPC Flow Logs from S3 and writes one JSON object a
// record: its attributes and those of its resource, and the record's time in seconds.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/encoding/awslogsencodingextension"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func reader() plog.Unmarshaler {
	factory := awslogsencodingextension.NewFactory()
	config := factory.CreateDefaultConfig().(*awslogsencodingextension.Config)
	config.Format = "vpcflow"
	settings := extension.Settings{ID: component.NewID(factory.Type())}
	settings.Logger = zap.NewNop()
	made, err := factory.Create(context.Background(), settings, config)
	check(err)
	return made.(plog.Unmarshaler)
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	check(err)
	// It takes what follows the last newline for one more record, and an empty one for an error.
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	logs := reader()
	out := json.NewEncoder(os.Stdout)
	whole, err := logs.UnmarshalLogs([]byte(strings.Join(lines, "\n")))
	check(err)
	if whole.LogRecordCount() != len(lines)-1 {
		check(fmt.Errorf("%d records of %d", whole.LogRecordCount(), len(lines)-1))
	}
	// One by one as well: the resource is that of the last record read.
	for _, line := range lines[1:] {
		one, err := logs.UnmarshalLogs([]byte(lines[0] + "\n" + line))
		check(err)
		resource := one.ResourceLogs().At(0)
		record := resource.ScopeLogs().At(0).LogRecords().At(0)
		said := record.Attributes().AsRaw()
		for name, value := range resource.Resource().Attributes().AsRaw() {
			said[name] = value
		}
		said["timestamp"] = record.Timestamp().AsTime().Unix()
		check(out.Encode(said))
	}
}
