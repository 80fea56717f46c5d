#!/usr/bin/env node
// The `buildscale` command: finds a Node that runs TypeScript, then runs the command line itself.
import { withNode } from '../../scripts/with-node.mjs'

withNode('cli/src/main.ts', process.argv.slice(2))
