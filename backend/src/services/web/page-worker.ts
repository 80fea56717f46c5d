import { parentPort, workerData } from 'node:worker_threads'
import { type PageJob, pageText } from './page-text.ts'

const job: PageJob = workerData
parentPort?.postMessage(pageText(job))
