// One question, one answer. Needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server that speaks OpenAI's Responses API.
import { openai } from '@buildscale/rig'

const agent = openai.Client.fromEnv().agent(openai.GPT_5_2).preamble('You answer in one sentence.').build()

console.log(await agent.prompt('What is a journal?'))
