import Checkpoints
import FileFormats

/// What can be wrong with the weights of a feature network. There is one case per condition;
/// `description` is one line that names the file and tensor, what was found, what was expected and
/// how to mend it.
package enum FeatureError: Error, Equatable, Sendable {
  case missingTensor(path: String, tensor: String, expected: [Int])
  case unknownTensor(path: String, tensor: String)
  case tensorType(path: String, tensor: String, found: SafetensorsDType)
  case tensorShape(path: String, tensor: String, found: [Int], expected: [Int])
  /// Element `element` is infinite or not a number.
  case notFinite(path: String, tensor: String, element: Int)
  case negativeVariance(path: String, tensor: String, element: Int, found: Float)
}

extension FeatureError: CustomStringConvertible {
  package var description: String {
    let remedy =
      "; make the file with launch/convert-inception.py from pt_inception-2015-12-05-6726825d.pth"
    return switch self {
    case .missingTensor(let path, let tensor, let expected):
      "\(path): no tensor \(tensor), expected one of shape \(expected)\(remedy)"
    case .unknownTensor(let path, let tensor):
      "\(path): tensor \(tensor) is none of the 472 of FID-Inception\(remedy)"
    case .tensorType(let path, let tensor, let found):
      "\(path): tensor \(tensor) has dtype \(found.rawValue), expected F32\(remedy)"
    case .tensorShape(let path, let tensor, let found, let expected):
      "\(path): tensor \(tensor) has shape \(found), expected \(expected)\(remedy)"
    case .notFinite(let path, let tensor, let element):
      "\(path): element \(element) of tensor \(tensor) is not a finite number\(remedy)"
    case .negativeVariance(let path, let tensor, let element, let found):
      "\(path): element \(element) of tensor \(tensor) is \(found), expected 0 or more\(remedy)"
    }
  }
}
