//! The credentials themselves, for those who may see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::sensitive::Sensitive;

/// The answer of generated-credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GeneratedCredentials {
    /// In slot order: one before the first rotation, then two.
    pub generated_credentials: Vec<GeneratedCredential>,
    /// Which of them is published.
    pub active_index: u32,
    /// The rotation.
    pub rotation_id: Uuid,
    /// The provider's slug.
    #[serde(rename = "type")]
    pub kind: String,
}

/// One credential: its outputs (for Azure `clientId` and `clientSecret`) beside its `keyId`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GeneratedCredential {
    /// By the provider's names.
    #[serde(flatten)]
    pub outputs: BTreeMap<String, Sensitive>,
    /// The provider's name for the credential.
    pub key_id: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::GeneratedCredentials;

    #[test]
    fn outputs_stand_beside_the_key_id() {
        let sent = json!({
            "generatedCredentials": [{"clientId": "c", "clientSecret": "hunter2", "keyId": "k"}],
            "activeIndex": 0, "rotationId": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "type": "azure-client-secret"
        });
        let read: GeneratedCredentials = serde_json::from_value(sent.clone()).unwrap();
        assert!(!format!("{read:?}").contains("hunter2"));
        assert_eq!(serde_json::to_value(read).unwrap(), sent);
    }
}
