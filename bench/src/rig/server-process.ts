/** Both servers in a process of their own, so that their CPU time is not the client's. Prints their addresses as JSON; ends with its standard input, so never outlives its parent. */
import { startModelSim } from '@buildscale/model-sim'
import { startPreparedServer } from './prepared-server.ts'

const load = await startModelSim({ mode: 'load' })
const prepared = await startPreparedServer()
console.log(JSON.stringify({ load: load.url, prepared: prepared.url }))
process.stdin.resume()
process.stdin.on('end', () => {
  void Promise.all([load.close(), prepared.close()]).then(() => process.exit(0))
})
