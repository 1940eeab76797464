/** Something wrong in a configuration file, and how it is told: where, what, and the nearest right word. */

export interface Problem {
  /** From 1; 0 where the fault is nowhere in the file (the environment). */
  line: number
  column: number
  /** `model_list[0].litellm_params.model`; empty for the file as a whole. */
  path: string
  /** One or two sentences, the suggestion included. Never a secret. */
  message: string
  /** The nearest right word, where there is one. */
  suggestion?: string | undefined
}

export type Path = readonly (string | number)[]

/** `['model_list', 0, 'model_name']` → `model_list[0].model_name`. */
export function showPath(path: Path): string {
  let shown = ''
  for (const part of path) {
    if (typeof part === 'number') shown += `[${part}]`
    else if (/^[\w-]+$/.test(part)) shown += shown === '' ? part : `.${part}`
    else shown += `[${JSON.stringify(part)}]`
  }
  return shown
}

/** `tollgate.yaml:3:5 general_settings.master_key: …`, as editors and terminals read it. */
export function showProblem(file: string, problem: Problem): string {
  const at = problem.line > 0 ? `${file}:${problem.line}:${problem.column}` : file
  return problem.path === '' ? `${at}: ${problem.message}` : `${at} ${problem.path}: ${problem.message}`
}

/** All the errors of a load at once; thrown only where a caller has no better way. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]
  readonly file: string

  constructor(file: string, problems: readonly Problem[]) {
    super(problems.map((problem) => showProblem(file, problem)).join('\n'))
    this.name = 'ConfigError'
    this.file = file
    this.problems = problems
  }
}
