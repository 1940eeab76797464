/**
 * A request of Converse (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). Model and streaming
 * stand in the path. What only some models know goes into `additionalModelRequestFields`, in that model's words.
 */
import type { Chat, Json, Message, Tool } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { TOOL_HINTS } from '../hints.ts'
import { writeEffort } from '../openai/effort.ts'
import { requestExtras } from '../request-extras.ts'
import { compact, extrasFor } from '../wire.ts'
import { ID } from './content.ts'
import { writeMessages } from './messages.ts'

export function writeRequest(chat: Chat, warn: Warn): Json {
  requestExtras(ID, chat, warn)
  warnOfLosses(chat, warn)
  const { system, messages } = writeMessages(chat.messages, warn)
  const inference = compact({
    maxTokens: chat.maxTokens,
    temperature: writeTemperature(chat, warn),
    topP: chat.topP,
    stopSequences: chat.stop && chat.stop.length > 0 ? chat.stop : undefined,
  })
  const more = additional(chat, warn)
  return compact({
    messages,
    system: system.length > 0 ? system : undefined,
    inferenceConfig: Object.keys(inference).length > 0 ? inference : undefined,
    toolConfig: writeTools(chat, warn),
    additionalModelRequestFields: Object.keys(more).length > 0 ? more : undefined,
    outputConfig: writeFormat(chat, warn),
  })
}

/** What Converse has no words for and what would give another answer. */
function warnOfLosses(chat: Chat, warn: Warn): void {
  const unknown = 'Converse has no such parameter'
  if (chat.n !== undefined && chat.n > 1) warn('n', 'Converse gives one answer at a time')
  if (chat.logprobs) warn('logprobs', 'Converse does not tell them')
  if (chat.logitBias && Object.keys(chat.logitBias).length > 0) warn('logit_bias', unknown)
  if (chat.suffix !== undefined) warn('suffix', 'Converse takes no text after the gap')
  if (chat.presencePenalty) warn('presence_penalty', unknown)
  if (chat.frequencyPenalty) warn('frequency_penalty', unknown)
  if (chat.minP) warn('min_p', unknown)
  if (chat.repeatPenalty !== undefined && chat.repeatPenalty !== 1) warn('repetition_penalty', unknown)
  if (chat.seed !== undefined) warn.adapted?.('seed', unknown)
  if (chat.parallelTools === false && !isClaude(chat.model))
    warn.adapted?.('parallel_tool_calls', 'Converse can not forbid them')
}

const isClaude = (model: string): boolean => model.includes('claude')

/** The scale ends at 1 here. */
function writeTemperature({ temperature }: Chat, warn: Warn): number | undefined {
  if (temperature === undefined || temperature <= 1) return temperature
  warn.adapted?.('temperature', 'Bedrock takes at most 1')
  return 1
}

/** In the words of the model's maker: Converse passes them on unread. */
function additional(chat: Chat, warn: Warn): Json {
  const { model, thinking, topK } = chat
  if (isClaude(model)) {
    const effort = thinking?.enabled && thinking.budget === undefined ? writeEffort(chat, ID) : undefined
    const budget = thinking?.budget
    return compact({
      top_k: topK,
      thinking: thinking?.enabled
        ? budget === undefined
          ? { type: 'adaptive' }
          : { type: 'enabled', budget_tokens: budget }
        : undefined,
      output_config: effort === undefined ? undefined : { effort: effort === 'minimal' ? 'low' : effort },
    })
  }
  const effort = thinking ? writeEffort(chat, ID) : undefined
  if (model.includes('.nova-')) {
    if (effort !== undefined && effort !== 'none') {
      const most = effort === 'minimal' ? 'low' : effort === 'xhigh' ? 'high' : effort
      return compact({
        inferenceConfig: topK === undefined ? undefined : { topK },
        reasoningConfig: { type: 'enabled', maxReasoningEffort: most },
      })
    }
    return topK === undefined ? {} : { inferenceConfig: { topK } }
  }
  if (topK !== undefined) warn('top_k', 'this model has no such parameter on Bedrock')
  if (effort === undefined || effort === 'none') return {}
  if (model.includes('gpt-oss')) return { reasoning_effort: effort }
  warn('reasoning_effort', 'this model can not be told on Bedrock how much to think')
  return {}
}

const isUsed = (part: Message['parts'][number]): boolean => part.type === 'call' || part.type === 'result'

function writeTools(chat: Chat, warn: Warn): Json | undefined {
  const { toolChoice, messages } = chat
  let tools = chat.tools?.flatMap((tool) => writeTool(tool, warn)) ?? []
  const history = messages.flatMap((message) => message.parts.filter(isUsed))
  if (toolChoice === 'none') {
    if (history.length === 0) return undefined
    if (tools.length > 0) warn.adapted?.('tool_choice', 'Converse can not forbid tools that the conversation has used')
  }
  if (tools.length === 0 && history.length > 0) {
    // Converse refuses calls and results in the conversation where no tool is declared.
    const names = new Set(history.flatMap((part) => (part.type === 'call' ? [part.name] : [])))
    if (names.size === 0) names.add('tool')
    tools = [...names].map((name) => ({ toolSpec: { name, inputSchema: { json: { type: 'object' } } } }))
    warn.adapted?.('tools', 'the tools that the conversation has used were declared')
  }
  if (tools.length === 0) return undefined
  const choice = writeChoice(toolChoice)
  return { tools, ...(choice ? { toolChoice: choice } : {}) }
}

function writeTool(tool: Tool, warn: Warn): Json[] {
  if (tool.foreign) {
    warn(`tools.${tool.name}`, 'the target has no such built-in tool')
    return []
  }
  const { name, description, parameters = {}, extras } = tool
  extrasFor(ID, extras, warn, TOOL_HINTS, `tools.${name}.`)
  const said = compact({
    name,
    // An empty description is refused.
    description: description || undefined,
    inputSchema: { json: { type: 'object', ...parameters } },
    strict: tool.strict || undefined,
  })
  const cached = extras !== undefined && 'cache_control' in extras.fields
  return [{ toolSpec: said }, ...(cached ? [{ cachePoint: { type: 'default' } }] : [])]
}

function writeChoice(choice: Chat['toolChoice']): Json | undefined {
  if (choice === undefined || choice === 'none') return undefined
  if (choice === 'auto') return { auto: {} }
  return choice === 'required' ? { any: {} } : { tool: { name: choice.name } }
}

function writeFormat({ format }: Chat, warn: Warn): Json | undefined {
  if (!format) return undefined
  if (format.kind === 'json') {
    // OpenAI's JSON mode demands that the prompt asks for JSON, so the model is told already.
    warn.adapted?.('response_format', 'Bedrock needs a schema for certainty: send type json_schema')
    return undefined
  }
  const { schema, name, description } = format
  const jsonSchema = compact({ schema: JSON.stringify(schema), name: name ?? 'answer', description })
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } }
}
