/**
 * Where a secret lies, as a configuration says it in place of the secret itself. Pure.
 *
 * | written | is |
 * |---|---|
 * | `file:/run/secrets/openai` | the file's text, without a line break at its end |
 * | `vault:secret/tollgate#openai` | the field `openai` of `tollgate` in the KV v2 engine at `secret` |
 * | `aws-sm:prod/tollgate#openai` | a secret of AWS Secrets Manager by name or ARN; with `#`, a field of its JSON |
 * | `azure-kv:my-vault/openai` | a secret of Azure Key Vault, of a version with another `/` |
 * | `gcp-sm:my-project/openai` | a secret of Google Secret Manager, the newest version or `my-project/openai/3` |
 */

export type Reference =
  | { kind: 'file'; path: string }
  | { kind: 'vault'; mount: string; path: string; field: string }
  | { kind: 'aws-sm'; id: string; field: string | undefined }
  | { kind: 'azure-kv'; vault: string; name: string; version: string | undefined }
  | { kind: 'gcp-sm'; project: string; name: string; version: string; field: string | undefined }

const KINDS = /^(file|vault|aws-sm|azure-kv|gcp-sm):/

/** Whether this text stands for a secret that lies elsewhere, rightly written or not. */
export const isReference = (text: string): boolean => KINDS.test(text)

/** @returns the reference, or a sentence saying how it is to be written */
export function readReference(text: string): Reference | { fault: string } {
  const kind = KINDS.exec(text)?.[1]
  const rest = text.slice((kind?.length ?? 0) + 1)
  const [place = '', field, more] = rest.split('#')
  if (more !== undefined) return { fault: `\`${text}\` has more than one \`#\`.` }
  switch (kind) {
    case 'file':
      return rest === '' ? { fault: '`file:` needs a path: `file:/run/secrets/openai`.' } : { kind, path: rest }
    case 'vault': {
      const [, mount, path] = /^\/?([^/]+)\/(?:data\/)?(.+)$/.exec(place) ?? []
      if (!mount || !path || !field || !isPlain(path))
        return { fault: 'write `vault:MOUNT/PATH#FIELD`: `vault:secret/tollgate#openai`.' }
      return { kind, mount, path, field }
    }
    case 'aws-sm':
      return place === '' || field === ''
        ? { fault: 'write `aws-sm:NAME` or `aws-sm:NAME#FIELD`: `aws-sm:prod/tollgate#openai`.' }
        : { kind, id: place, field }
    case 'azure-kv': {
      const [, vault, name, version] =
        /^((?:https:\/\/[^/]+)|[A-Za-z0-9-]+)\/([A-Za-z0-9-]+)(?:\/([A-Za-z0-9]+))?$/.exec(rest) ?? []
      return vault && name
        ? { kind, vault, name, version }
        : { fault: 'write `azure-kv:VAULT/NAME` or `azure-kv:VAULT/NAME/VERSION`: `azure-kv:my-vault/openai`.' }
    }
    case 'gcp-sm': {
      const [, project, name, version = 'latest'] =
        /^(?:projects\/)?([^/]+)\/(?:secrets\/)?([A-Za-z0-9_-]+)(?:\/(?:versions\/)?([A-Za-z0-9_-]+))?$/.exec(place) ??
        []
      return project && name && field !== ''
        ? { kind, project, name, version, field }
        : { fault: 'write `gcp-sm:PROJECT/NAME` or `gcp-sm:PROJECT/NAME/VERSION`: `gcp-sm:my-project/openai`.' }
    }
    default:
      return { fault: 'begins with none of file:, vault:, aws-sm:, azure-kv:, gcp-sm:.' }
  }
}

/** Nothing that a server could read as another path. */
const isPlain = (path: string): boolean => !path.split('/').some((part) => part === '' || part === '.' || part === '..')
