import { describe, expect, it } from 'vitest';
import { createGrants } from '../../../lib/authorize/grants.ts';
import { roleScopes } from '../../../lib/authorize/roles.ts';

describe('what lists grant', () => {
  const { ofLists } = createGrants(
    roleScopes({ admin: ['*'], analyst: ['discover'], reader: ['metrics', 'jobs'] }, 'revoke'),
  );
  function explicit(...scopes: string[]) {
    return { scopes, roles: [] };
  }

  it('are scopes before roles, and nothing without either', () => {
    expect(ofLists('discover jobs', 'admin')).toEqual(explicit('discover', 'jobs'));
    expect(ofLists(['discover'], ['admin'])).toEqual(explicit('discover'));
    expect(ofLists('', 'admin')).toEqual(explicit());
    expect(ofLists(null, 'Reader, nobody')).toEqual({ scopes: ['metrics', 'jobs'], roles: ['reader'] });
    expect(ofLists(null, ['Admin'])).toEqual({ scopes: ['*', 'revoke'], roles: ['admin'] });
    expect(ofLists(null, null)).toEqual(explicit());
  });
});
