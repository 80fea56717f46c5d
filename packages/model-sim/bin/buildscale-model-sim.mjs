#!/usr/bin/env node
// The `buildscale-model-sim` command: finds a Node that runs TypeScript, then starts the simulator.
import { withNode } from '../../../scripts/with-node.mjs'

withNode('packages/model-sim/src/main.ts', process.argv.slice(2))
