/** The routes of members, with LiteLLM's methods and answers. */
import type { HolderRoute } from './holder-route.ts'
import type { Holders } from './holders.ts'
import { type Members, showMember } from './members.ts'
import type { Register } from './register.ts'

export function teamMembers(members: Members, teams: Holders, register: Register): HolderRoute[] {
  return [
    {
      ...{ method: 'POST', path: '/team/member_add' },
      handle: ({ body, reach }) => {
        const { holder, added } = members.add(reach, body)
        const updated_users = added.map((member) => showMember(member, register))
        const updated_team_memberships = added.map(({ userId }) => ({ user_id: userId, team_id: holder.id }))
        return { body: { ...teams.show(holder), updated_users, updated_team_memberships } }
      },
    },
    {
      ...{ method: 'POST', path: '/team/member_update' },
      handle: ({ body, reach }) => {
        const member = members.update(reach, body)
        return { body: { team_id: member.id, ...showMember(member, register) } }
      },
    },
    {
      ...{ method: 'POST', path: '/team/member_delete' },
      handle: ({ body, reach }) => {
        const { holder, keys } = members.remove(reach, body)
        return { body: { ...teams.show(holder), deleted_keys: keys } }
      },
    },
  ]
}

export function organizationMembers(members: Members, organizations: Holders, register: Register): HolderRoute[] {
  return [
    {
      ...{ method: 'POST', path: '/organization/member_add' },
      handle: ({ body, reach }) => {
        const { holder, added } = members.add(reach, body)
        const updated = added.map((member) => showMember(member, register))
        const answer = { updated_users: updated, updated_organization_memberships: updated }
        return { body: { ...organizations.show(holder), ...answer } }
      },
    },
    {
      ...{ method: 'PATCH', path: '/organization/member_update' },
      handle: ({ body, reach }) => ({ body: showMember(members.update(reach, body), register) }),
    },
    {
      ...{ method: 'DELETE', path: '/organization/member_delete' },
      handle: ({ body, reach }) => ({ body: showMember(members.remove(reach, body).member, register) }),
    },
  ]
}
