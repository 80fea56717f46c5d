/** The thread that looks into texts, so that a large or malicious one keeps no request waiting. One file in, one analysis out, in order. */
import { parentPort } from 'node:worker_threads'
import { type AnalysedFile, analyseText } from './text-analysis.ts'

parentPort?.on('message', (file: AnalysedFile) => parentPort?.postMessage(analyseText(file)))
