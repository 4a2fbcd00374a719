// Profiles: what people show of themselves, and whom they follow or shun.

/** Who sees more of a profile than its name: everybody, everybody who is logged in, or who follows. */
export const profilePrivacies = ['public', 'members', 'followers'] as const;

/** A blocked person is out of one's rooms; a muted one is not heard by oneself. */
export const relationKinds = ['follow', 'block', 'mute'] as const;
