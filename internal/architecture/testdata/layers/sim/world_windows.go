// Package sim is part of a fixture.
package sim

import _ "go.yaml.in/yaml/v4"
