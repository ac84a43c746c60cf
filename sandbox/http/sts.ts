import type { Answer } from './answer.ts';

/** STS, of which only GetCallerIdentity is imitated: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
export function handleSts(account: string, params: URLSearchParams): Answer {
  const action = params.get('Action') ?? '';
  const xml = (root: string, inside: string) =>
    `<${root} xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${inside}</${root}>`;
  if (action !== 'GetCallerIdentity') {
    const error = `<Error><Type>Sender</Type><Code>InvalidAction</Code><Message>STS ${action} is not in the sandbox</Message></Error>`;
    return { status: 400, headers: { 'content-type': 'text/xml' }, body: xml('ErrorResponse', error) };
  }
  const result = `<GetCallerIdentityResult><Arn>arn:aws:iam::${account}:root</Arn><UserId>${account}</UserId><Account>${account}</Account></GetCallerIdentityResult>`;
  return { status: 200, headers: { 'content-type': 'text/xml' }, body: xml('GetCallerIdentityResponse', result) };
}
