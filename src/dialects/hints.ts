/**
 * Fields that only one dialect knows and whose loss changes nothing in what is asked: caching, tracing, service, the
 * tuning of one machine. They are left out without a word; every other unknown field is warned of by its name.
 */
const CACHING = ['cache_control', 'prompt_cache_breakpoint']

/** At the top of a request. */
export const REQUEST_HINTS: ReadonlySet<string> = new Set([
  ...CACHING,
  // OpenAI. The limit and the thinking were read under these names too.
  'max_completion_tokens',
  'thinking',
  'stream_options',
  'store',
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
  'safety_identifier',
  'prediction',
  'moderation',
  'verbosity',
  // Of OpenAI's Responses: effort, format and logprobs were read; what was asked for of built-in tools goes with them.
  'text',
  'reasoning',
  'include',
  'max_tool_calls',
  'client_metadata',
  // Anthropic. Of `output_config` effort and format were read.
  'output_config',
  'context_management',
  'diagnostics',
  'speed',
  'user_profile_id',
  'workspace_id',
  'betas',
  // Gemini. Of the thinking everything but its own spelling was read.
  'generationConfig.thinkingConfig',
  'generationConfig.mediaResolution',
  'labels',
  // Ollama.
  'keep_alive',
  'options',
  'truncate',
  'shift',
  'context',
])

/** On one part of a message, a tool call or a tool's result; `as` is a mark of our own. */
export const PART_HINTS: ReadonlySet<string> = new Set([
  ...CACHING,
  'citations',
  'transformations',
  'context',
  'caller',
  'toolset_name',
  'as',
  // OpenAI's Responses: an item's name and state.
  'id',
  'status',
  'phase',
  // The group of the tool that is called, and its name there.
  'namespace',
  'name',
  'logprobs',
  // Gemini's words for what was read.
  'thoughtSignature',
  'extra_content',
  'mimeType',
  'response',
  'mediaResolution',
])

/** On a whole message. */
export const MESSAGE_HINTS: ReadonlySet<string> = new Set([...PART_HINTS, 'role', 'name', 'annotations', 'audio'])

/** On the definition of a tool. */
export const TOOL_HINTS: ReadonlySet<string> = new Set([
  ...CACHING,
  'type',
  'defer_loading',
  'eager_input_streaming',
  'input_examples',
  'allowed_callers',
  'parameters',
])
