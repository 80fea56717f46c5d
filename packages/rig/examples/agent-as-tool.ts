// An agent that asks another one. The inner agent has its own instructions and model, and shares the outer one's signal and deps.
import { openai } from '@buildscale/rig'

const client = openai.Client.fromEnv()
const translator = client.agent(openai.GPT_5_MINI).name('translator').description('Translates a text into French.').preamble('Translate what you are given into French.').build()
const writer = client.agent(openai.GPT_5_2).preamble('You write greetings. Have them translated by the translator.').tool(translator.asTool()).build()

const { output, completionCalls } = await writer.run('Greet Ada in French.')
console.log(output)
console.log(`${completionCalls.length} model calls of the writer`)
