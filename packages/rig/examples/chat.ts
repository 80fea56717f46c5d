// A conversation of several turns. The history is a plain array: keep it wherever you like. It grows on success only.
import { openai, type Message } from '@buildscale/rig'

const agent = openai.Client.fromEnv().agent(openai.GPT_5_2).preamble('You are a patient teacher.').build()
const history: Message[] = []

for (const question of ['My name is Ada. What is a loop?', 'And what is my name?']) {
  console.log(`> ${question}`)
  console.log(await agent.chat(question, history))
}
console.log(`${history.length} messages`)
