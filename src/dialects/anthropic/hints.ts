/** Fields of Anthropic's requests whose loss changes nothing in what is asked: caching, tracing, service. */
export const HARMLESS: ReadonlySet<string> = new Set([
  'cache_control',
  'context_management',
  'diagnostics',
  'service_tier',
  'speed',
  'user_profile_id',
  'workspace_id',
  'betas',
  'output_config',
  'thinking',
])
