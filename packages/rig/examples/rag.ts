// Documents that are found for each question and shown with it: embed them once, then look them up by meaning.
import { EmbeddingsBuilder, InMemoryVectorStore, openai } from '@buildscale/rig'

const client = openai.Client.fromEnv()
const embeddings = client.embeddingModel(openai.TEXT_EMBEDDING_3_SMALL)

const documents = await new EmbeddingsBuilder(embeddings).documents([
  'A flurbo is a green alien that lives on cold planets.',
  'A glarb is a farming tool used by the ancestors of the inhabitants of planet Jiro.',
  'A linglingdong is a term for humans used by inhabitants of the far side of the moon.',
]).build()
const index = InMemoryVectorStore.fromDocuments(documents).index(embeddings)

const agent = client.agent(openai.GPT_5_2).preamble('You explain words with the help of the documents.').dynamicContext(1, index).build()

const question = 'What is a glarb, the farming tool?'
const [best] = await index.topN({ query: question, samples: 1 })
console.log(`found: ${best?.document}`)
console.log(await agent.prompt(question))
