/** What is asked for: requests to models; anything else; or what somebody does with his own login. */
export type Errand = 'models' | 'manage' | 'session'
