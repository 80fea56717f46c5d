export {
  describeModelConformance, MODEL_CONFORMANCE, type ConformanceCase, type ConformanceOptions, type ConformanceTraits, type MakeModel, type ModelUnderTest, type TestRunner,
} from './model-conformance.ts'
export { calls, says, ScriptedModel, toolCall, type ScriptedTurn } from './scripted-model.ts'
