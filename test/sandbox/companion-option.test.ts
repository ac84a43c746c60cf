import { describe, expect, it } from 'vitest';
import { readCompanionOption } from '../../sandbox/companion-option.ts';

describe('the option --companion', () => {
  it('names a template, an account, a Region and parameters, whose values may have commas and colons', () => {
    const text = 'source.yml:111122223333:eu-west-1:Regions=eu-west-1,eu-central-1,ExternalId=a:b=c,Reencrypt=on';
    expect(readCompanionOption(text)).toEqual({
      template: 'source.yml',
      account: '111122223333',
      region: 'eu-west-1',
      parameters: { Regions: 'eu-west-1,eu-central-1', ExternalId: 'a:b=c', Reencrypt: 'on' },
    });
    expect(readCompanionOption('source.yml:111122223333:eu-west-1').parameters).toEqual({});
  });

  it.each([
    ['no template', ':111122223333:eu-west-1', 'It must be a template, 12 digits of an account and a Region: '],
    ['an account that is none', 'source.yml:1111:eu-west-1', '12 digits of an account'],
    ['a Region that is none', 'source.yml:111122223333:europe', 'a Region'],
    ['a parameter without a value', 'source.yml:111122223333:eu-west-1:Reencrypt', '"Reencrypt" is no parameter: '],
  ])('is refused with %s', (_, text, message) => {
    expect(() => readCompanionOption(text)).toThrow(message);
  });
});
